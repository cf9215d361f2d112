/* endpoint.c - see endpoint.h. */
#include "call/endpoint.h"

static const struct partition {
    const char *name, *prefix, *suffix, *dual_suffix;
} partitions[] = {
    /* The first whose prefix fits; the last fits all. */
    {"aws-us-gov", "us-gov-", "amazonaws.com", "api.aws"},
    {"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"aws-iso-f", "eu-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"aws", "", "amazonaws.com", "api.aws"},
};

static const struct partition *partition_of(struct view region)
{
    size_t i = 0;
    while (!view_starts(region, partitions[i].prefix))
        i++;  /* the last fits */
    return &partitions[i];
}

const char *endpoint_suffix(const char *region)
{
    return partition_of(view_of(region))->suffix;
}

const char *endpoint_partition(const char *region)
{
    return partition_of(view_of(region))->name;
}

bool endpoint_region_ok(struct view region)
{
    if (region.len == 0 || region.len >= REGION_BYTES)
        return false;
    for (uint32_t i = 0; i < region.len; i++) {
        uint8_t c = region.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return region.at[0] != '-' && region.at[region.len - 1] != '-';
}

/* The first labels of the host. GovCloud's logs hosts are FIPS without saying
 * so; S3 says dual-stack by a label and not by the suffix. */
static void put_labels(struct text *host, enum site_service service,
                       const struct partition *p,
                       const struct endpoint_options *o)
{
    static const char *const label[SITE_SERVICES] = {
        [SITE_LOGS] = "logs", [SITE_S3] = "s3", [SITE_STS] = "sts",
    };
    bool gov = view_is(view_of(p->name), "aws-us-gov");
    bool plain = gov && service != SITE_S3 && !o->dualstack;
    CHECK(service < SITE_SERVICES);
    text_str(host, label[service]);
    text_str(host, o->fips && !plain ? "-fips." : ".");
    if (service == SITE_S3 && o->dualstack)
        text_str(host, "dualstack.");
}

bool endpoint_of_region(struct endpoint *e, enum site_service service,
                        struct view region,
                        const struct endpoint_options *options)
{
    struct text host;
    const struct partition *p = partition_of(region);
    *e = (struct endpoint){0};
    if (!endpoint_region_ok(region))
        return false;
    CHECK(view_copy(view_of("https"), e->scheme, sizeof e->scheme));
    CHECK(view_copy(region, e->region, sizeof e->region));
    text_init(&host, e->authority, sizeof e->authority);
    put_labels(&host, service, p, options);
    text_put(&host, region);
    text_char(&host, '.');
    text_str(&host, options->dualstack && service != SITE_S3
                        ? p->dual_suffix : p->suffix);
    return !host.overflow;
}

static bool host_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* The host without its port; an IPv6 address keeps its brackets. */
static struct view host_of(struct view authority)
{
    uint32_t from = 0;
    if (view_starts(authority, "["))
        from = view_find(authority, ']');
    struct view tail = view_slice(authority, from, authority.len);
    return view_slice(authority, 0, from + view_find(tail, ':'));
}

static bool is_digits(struct view v)
{
    uint64_t number;
    return view_u64(v, 65535, &number);
}

static bool authority_ok(struct view a)
{
    struct view host = host_of(a);
    struct view port = view_slice(a, host.len, a.len);
    bool six = view_starts(host, "[");
    if (host.len == 0 || (port.len > 0 &&
                          !is_digits(view_slice(port, 1, port.len))))
        return false;
    if (six && !view_ends(host, "]"))
        return false;
    for (uint32_t i = six; i + six < host.len; i++) {
        uint8_t c = host.at[i];
        if (!host_char(c) && !(six && c == ':'))
            return false;
    }
    return true;
}

/* Four decimal numbers with points between. */
static bool is_ipv4(struct view host)
{
    uint64_t number;
    for (int i = 0; i < 4; i++) {
        struct view part = view_split(&host, '.');
        if (part.len > 3 || !view_u64(part, 255, &number))
            return false;
    }
    return host.len == 0;
}

bool endpoint_is_loopback(struct view authority)
{
    struct view host = host_of(authority);
    return view_is_nocase(host, "localhost") || view_is(host, "[::1]") ||
           (view_starts(host, "127.") && is_ipv4(host));
}

/* What stands before an "@" may be a password, and is not said again. */
static bool refuse(struct fault *fault, struct view url, const char *why)
{
    char at[FAULT_WORDS_BYTES];
    struct text t;
    uint32_t sign;
    text_init(&t, at, sizeof at);
    text_str(&t, "endpoint \"");
    while ((sign = view_find(url, '@')) < url.len) {
        text_reset(&t);
        text_str(&t, "endpoint \"...@");
        url = view_slice(url, sign + 1, url.len);
    }
    text_put(&t, view_slice(url, 0, url.len < 200 ? url.len : 200));
    text_str(&t, "\": ");
    text_str(&t, why);
    fault_set(fault, ERROR_CONFIG, "", 0);
    fault_words(fault, text_view(&t));
    return false;
}

/* A path is kept as it was given, but for slashes at its end. */
static bool path_ok(struct view path)
{
    for (uint32_t i = 0; i < path.len; i++) {
        uint8_t c = path.at[i];
        if (!host_char(c) && c != '/' && c != '~' && c != '%')
            return false;
    }
    return true;
}

bool endpoint_of_url(struct endpoint *e, struct view url,
                     const struct endpoint_options *options,
                     struct fault *fault)
{
    bool plain = view_starts(url, "http://");
    *e = (struct endpoint){.custom = true};
    if (!plain && !view_starts(url, "https://"))
        return refuse(fault, url, "must begin with https:// or http://");
    struct view rest = view_slice(url, plain ? 7 : 8, url.len);
    uint32_t slash = view_find(rest, '/');
    struct view authority = view_slice(rest, 0, slash);
    struct view path = view_slice(rest, slash, rest.len);
    while (view_ends(path, "/"))
        path = view_slice(path, 0, path.len - 1);
    if (!authority_ok(authority) || !path_ok(path))
        return refuse(fault, url, "is not http(s)://host[:port][/path]");
    if (plain && !options->allow_http && !endpoint_is_loopback(authority))
        return refuse(fault, url, "plain http is for loopback only; "
                                  "--allow-http permits it");
    const char *port = plain ? ":80" : ":443";  /* not sent, so not signed */
    if (view_ends(authority, port))
        authority = view_slice(authority, 0, authority.len -
                                                 (uint32_t)strlen(port));
    CHECK(view_copy(view_of(plain ? "http" : "https"), e->scheme,
                    sizeof e->scheme));
    if (!view_copy(authority, e->authority, sizeof e->authority) ||
        !view_copy(path, e->base_path, sizeof e->base_path))
        return refuse(fault, url, "is too long");
    return true;
}

/* A name that may stand in a host under a wildcard certificate. */
static bool is_label(struct view bucket)
{
    if (bucket.len < 3 || bucket.len > 63)
        return false;
    for (uint32_t i = 0; i < bucket.len; i++) {
        uint8_t c = bucket.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return bucket.at[0] != '-' && bucket.at[bucket.len - 1] != '-';
}

/* Old buckets have up to 255 characters, upper case and underscores too. */
static bool is_bucket(struct view bucket)
{
    if (bucket.len < 3 || bucket.len > 255 || view_is(bucket, "..."))
        return false;
    for (uint32_t i = 0; i < bucket.len; i++)
        if (!host_char(bucket.at[i]))
            return false;
    return true;
}

static bool is_virtual(const struct endpoint *e, struct view bucket)
{
    return !e->custom && is_label(bucket);
}

bool endpoint_s3_host(const struct endpoint *e, struct view bucket,
                      struct text *host)
{
    if (is_virtual(e, bucket)) {
        text_put(host, bucket);
        text_char(host, '.');
    }
    text_str(host, e->authority);
    return is_bucket(bucket) && !host->overflow;
}

bool endpoint_s3_path(const struct endpoint *e, struct view bucket,
                      struct view key, struct text *path)
{
    bool in_host = is_virtual(e, bucket);
    text_str(path, e->base_path);
    if (!in_host) {
        text_char(path, '/');
        text_put(path, bucket);
    }
    if (in_host || key.len > 0)
        text_char(path, '/');
    text_percent(path, key, true);
    return is_bucket(bucket);
}
