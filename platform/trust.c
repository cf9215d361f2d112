/* trust.c - roots for mbedTLS: embedded ones parsed once, bundles searched. */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amazon_roots.h"
#include "base/limits.h"

enum {
    DER_BYTES = 8192,            /* of one certificate; larger ones are
                                    skipped */
    BUNDLE_BYTES = 16 << 20,     /* more is no bundle */
};

/* Where distributions keep their bundle (Go's crypto/x509, root_linux.go). */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static const int cipher_suites[] = {
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

#define SIGNATURES_OF_TLS12                    \
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, \
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384, \
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, \
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,       \
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,       \
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512

static const uint16_t signatures_tls12[] = {
    SIGNATURES_OF_TLS12,
    MBEDTLS_TLS1_3_SIG_NONE,
};

static const uint16_t signatures[] = {
    SIGNATURES_OF_TLS12,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
    MBEDTLS_TLS1_3_SIG_NONE,
};

/* A bundle read from its start to its end, one certificate at a time. */
struct search {
    const struct trust *trust;
    uint64_t offset;          /* of the file, after `in` */
    uint32_t in_used, in_len;
    uint32_t der_len;
    uint8_t  in[4096];
    uint8_t  der[DER_BYTES];
};

/* The next byte of the file, or -1. */
static int search_byte(struct search *s)
{
    if (s->in_used == s->in_len) {
        ssize_t n = pread(s->trust->bundle, s->in, sizeof s->in,
                          (off_t)s->offset);
        if (n <= 0 || s->offset >= s->trust->bundle_bytes)
            return -1;
        s->offset += (uint64_t)n;
        s->in_len = (uint32_t)n;
        s->in_used = 0;
    }
    return s->in[s->in_used++];
}

/* Reads on to the end of the line that opens a certificate. */
static bool search_open(struct search *s)
{
    static const char opening[] = "-----BEGIN CERTIFICATE-----";
    uint32_t same = 0;
    int c;

    while ((c = search_byte(s)) >= 0) {
        same = c == opening[same] ? same + 1 : c == opening[0];
        if (opening[same] == '\0')
            return true;
    }
    return false;
}

static int base64_value(int c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The next certificate, as DER, into `der`; false at the end of the file. */
static bool search_next(struct search *s)
{
    while (search_open(s)) {
        uint32_t bits = 0, count = 0;
        int c;

        s->der_len = 0;
        while ((c = search_byte(s)) >= 0 && c != '-') {
            int value = base64_value(c);
            if (value < 0)
                continue;  /* the ends of lines, and the padding */
            bits = bits << 6 | (uint32_t)value;
            count += 6;
            if (count < 8)
                continue;
            count -= 8;
            if (s->der_len < DER_BYTES)
                s->der[s->der_len] = (uint8_t)(bits >> count);
            s->der_len++;
        }
        if (c == '-' && s->der_len <= DER_BYTES)
            return true;
    }
    return false;
}

/* Steps over one element; false when it is not there or too long. */
static bool der_skip(uint8_t **at, const uint8_t *end, int tag)
{
    size_t len;

    if (mbedtls_asn1_get_tag(at, end, &len, tag) != 0)
        return false;
    *at += len;
    return true;
}

/* The subject of a certificate, tag included: RFC 5280 section 4.1. */
static struct view der_subject(uint8_t *der, uint32_t bytes)
{
    const int sequence = MBEDTLS_ASN1_SEQUENCE | MBEDTLS_ASN1_CONSTRUCTED;
    const int version = MBEDTLS_ASN1_CONTEXT_SPECIFIC |
                        MBEDTLS_ASN1_CONSTRUCTED;
    uint8_t *at = der, *start, *end = der + bytes;
    size_t len;

    if (mbedtls_asn1_get_tag(&at, end, &len, sequence) != 0 ||
        mbedtls_asn1_get_tag(&at, end, &len, sequence) != 0)
        return (struct view){NULL, 0};
    (void)der_skip(&at, end, version);  /* absent in version 1 */
    if (!der_skip(&at, end, MBEDTLS_ASN1_INTEGER) ||
        !der_skip(&at, end, sequence) ||  /* signature algorithm */
        !der_skip(&at, end, sequence) ||  /* issuer */
        !der_skip(&at, end, sequence))    /* validity */
        return (struct view){NULL, 0};
    start = at;
    if (!der_skip(&at, end, sequence))
        return (struct view){NULL, 0};
    return (struct view){start, (uint32_t)(at - start)};
}

static bool same_bytes(const mbedtls_x509_buf *a, struct view b)
{
    return a->len == b.len && memcmp(a->p, b.at, b.len) == 0;
}

/* Adds a parsed certificate to the list that mbedTLS will free. */
static int add_candidate(mbedtls_x509_crt **list, const struct search *s)
{
    if (*list == NULL) {
        *list = calloc(1, sizeof **list);
        if (*list == NULL)
            return MBEDTLS_ERR_X509_ALLOC_FAILED;
        mbedtls_x509_crt_init(*list);
    }
    /* One that cannot be parsed vouches for nobody. */
    int error = mbedtls_x509_crt_parse_der(*list, s->der, s->der_len);
    return error == MBEDTLS_ERR_X509_ALLOC_FAILED ? error : 0;
}

/* For mbedTLS: all roots of the bundle that bear the issuer's name. */
static int find_issuer(void *context, const mbedtls_x509_crt *child,
                       mbedtls_x509_crt **out)
{
    struct search *s = calloc(1, sizeof *s);
    int error = 0;

    *out = NULL;
    if (s == NULL)
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    s->trust = context;
    while (error == 0 && search_next(s))
        if (same_bytes(&child->issuer_raw, der_subject(s->der, s->der_len)))
            error = add_candidate(out, s);
    free(s);
    return error;
}

/* Whether the bundle holds this very certificate. */
static bool is_in_bundle(const struct trust *t, const mbedtls_x509_crt *c)
{
    struct search *s = calloc(1, sizeof *s);
    bool found = false;

    if (s == NULL)
        return false;
    s->trust = t;
    while (!found && search_next(s))
        found = same_bytes(&c->raw, (struct view){s->der, s->der_len});
    free(s);
    return found;
}

/* For mbedTLS: notes what it found wrong, from the root down to the server's
 * own certificate. That one may itself be in the bundle, self-signed and
 * without the right to sign others, as test servers have them. */
static int judge(void *context, mbedtls_x509_crt *crt, int depth,
                 uint32_t *flags)
{
    struct verdict *v = context;
    bool issues_itself = crt->issuer_raw.len == crt->subject_raw.len &&
                         memcmp(crt->issuer_raw.p, crt->subject_raw.p,
                                crt->issuer_raw.len) == 0;

    if (depth == 0 && issues_itself) {
        v->self_signed = true;
        if ((*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0 &&
            v->trust->bundle >= 0 && !v->lost &&
            is_in_bundle(v->trust, crt))
            *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    }
    v->flags |= *flags;
    return 0;
}

static bool in_domain(struct view host, const char *domain)
{
    struct view d = view_of(domain), end;

    if (host.len <= d.len || host.at[host.len - d.len - 1] != '.')
        return false;
    end = view_slice(host, host.len - d.len, host.len);
    return view_is_nocase(end, domain);
}

bool trust_is_amazon(struct view host)
{
    return in_domain(host, "amazonaws.com") || in_domain(host, "api.aws");
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(struct view host)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (uint32_t i = 0; i < host.len; i++)
        hash = (hash ^ host.at[i]) * 0x100000001b3;
    return hash;
}

bool trust_is_demoted(const struct trust *t, struct view host)
{
    for (uint32_t i = 0; i < TRUST_DEMOTED && i < t->demoted_count; i++)
        if (t->demoted[i] == hash_of(host))
            return true;
    return false;
}

bool trust_demote(struct trust *t, struct view host)
{
    if (trust_is_demoted(t, host))
        return false;
    t->demoted[t->demoted_count++ % TRUST_DEMOTED] = hash_of(host);
    return true;
}

void trust_apply(struct trust *t, mbedtls_ssl_config *config,
                 struct view host, struct verdict *verdict)
{
    bool amazon = !t->replaced && trust_is_amazon(host);

    *verdict = (struct verdict){.trust = t};
    if (amazon || t->bundle < 0)
        mbedtls_ssl_conf_ca_chain(config, &t->amazon, NULL);
    else
        mbedtls_ssl_conf_ca_cb(config, find_issuer, t);
    verdict->lost = !amazon && t->bundle < 0;
    mbedtls_ssl_conf_verify(config, judge, verdict);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_cert_profile(config, &mbedtls_x509_crt_profile_default);
    mbedtls_ssl_conf_sig_algs(config, trust_is_demoted(t, host)
                                          ? signatures_tls12 : signatures);
    mbedtls_ssl_conf_ciphersuites(config, cipher_suites);
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
}

const char *trust_reason(const struct verdict *v)
{
    static const struct {
        uint32_t    flag;
        const char *words;
    } reasons[] = {
        {MBEDTLS_X509_BADCERT_EXPIRED,
         "its certificate has expired, or this machine's clock is wrong"},
        {MBEDTLS_X509_BADCERT_FUTURE,
         "its certificate is not yet valid, or this machine's clock is"
         " wrong"},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH,
         "its certificate is for another host"},
        {MBEDTLS_X509_BADCERT_BAD_MD, "a certificate's signature is weak"},
        {MBEDTLS_X509_BADCERT_BAD_PK, "a certificate's key is of a kind not"
                                      " accepted"},
        {MBEDTLS_X509_BADCERT_BAD_KEY, "a certificate's key is weak"},
        {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
         "its certificate is not one for servers"},
    };

    for (uint32_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if ((v->flags & reasons[i].flag) != 0)
            return reasons[i].words;
    if (v->flags == 0)
        return NULL;
    if (v->lost)
        return "no bundle of certificates is on this machine; name one with"
               " --ca-bundle or AWS_CA_BUNDLE";
    if (v->self_signed)
        return "its certificate is self-signed; trust it with --ca-bundle";
    return "its certificate is from an unknown issuer";
}

static bool open_bundle(struct trust *t, const char *path)
{
    struct stat st;

    t->bundle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (t->bundle < 0)
        return false;
    if (fstat(t->bundle, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size <= BUNDLE_BYTES) {
        t->bundle_bytes = (uint64_t)st.st_size;
        return true;
    }
    close(t->bundle);
    t->bundle = -1;
    errno = EINVAL;
    return false;
}

static bool holds_certificate(const struct trust *t)
{
    struct search *s = calloc(1, sizeof *s);
    bool found = false;

    if (s == NULL)
        return false;
    s->trust = t;
    while (!found && search_next(s))
        found = der_subject(s->der, s->der_len).len != 0;
    free(s);
    return found;
}

static bool parse_amazon(struct trust *t)
{
    uint32_t count = sizeof amazon_roots / sizeof amazon_roots[0];

    mbedtls_x509_crt_init(&t->amazon);
    for (uint32_t i = 0; i < count; i++)
        if (mbedtls_x509_crt_parse_der_nocopy(&t->amazon,
                                              amazon_roots[i].der,
                                              amazon_roots[i].bytes) != 0)
            return false;
    return true;
}

bool trust_init(struct trust *t, const char *bundle, struct fault *fault)
{
    uint32_t count = sizeof system_bundles / sizeof system_bundles[0];

    *t = (struct trust){.bundle = -1};
    if (!parse_amazon(t)) {
        fault_set(fault, ERROR_LIMIT, "pool full", CFG_POOL_BYTES);
        return false;
    }
    if (bundle == NULL || bundle[0] == '\0') {
        for (uint32_t i = 0; i < count && t->bundle < 0; i++)
            (void)open_bundle(t, system_bundles[i]);
        return true;
    }
    t->replaced = true;
    if (!open_bundle(t, bundle))
        fault_set(fault, ERROR_CONFIG, "cannot read the CA bundle", errno);
    else if (!holds_certificate(t))
        fault_set(fault, ERROR_CONFIG, "no certificate in the CA bundle", 0);
    else
        return true;
    fault_words(fault, view_of(bundle));
    return false;
}
