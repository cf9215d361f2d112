/* meta.c - IMDSv2 and the containers' credential endpoint.
 *
 * The role is "firn-role"; a container's token is "container-token". */
#include "model.h"

#include <string.h>

#define ROLE "firn-role"
#define CONTAINER_TOKEN "container-token"

static void refuse(struct aws_exchange *x, int status)
{
    aws_fail(x, status, status == 401 ? "Unauthorized" : "Not Found", "");
}

static void give_token(struct aws_exchange *x, int64_t now)
{
    struct aws *m = x->model;
    struct aws_text ttl;
    int64_t seconds;
    if (!aws_is(x->method, "PUT")) {
        refuse(x, 405);
        return;
    }
    if (!aws_header_of(x, "x-aws-ec2-metadata-token-ttl-seconds", &ttl) ||
        !aws_int(ttl, &seconds) || seconds < 1 || seconds > 21600) {
        refuse(x, 400);
        return;
    }
    aws_reset(&m->metadata_token);
    aws_printf(&m->metadata_token, "AQ%016llx==",
               (unsigned long long)aws_random(&m->rng));
    m->metadata_token_ends = now + seconds * 1000;
    aws_put_text(&x->out, aws_view(&m->metadata_token));
    aws_reply_header(x, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "%lld",
                     (long long)seconds);
}

static void put_key(struct aws_exchange *x, int64_t now, bool container)
{
    struct aws_buf *out = &x->out;
    int64_t life = x->model->setting[AWS_SET_KEY_LIFE];
    int64_t expires = aws_server_now(x->model, now) + life;
    const struct aws_key *key = aws_issue_key(x->model, expires);
    x->type = "application/json";
    aws_puts(out, "{");
    if (!container) {
        aws_puts(out, "\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"");
        aws_put_iso(out, now);
        aws_puts(out, "\",\n  \"Type\" : \"AWS-HMAC\",");
    }
    aws_printf(out, "\"AccessKeyId\" : \"%s\",\"SecretAccessKey\" : \"%s\","
               "\"Token\" : \"%s\",\"Expiration\" : \"", key->id,
               key->secret, key->token);
    aws_put_iso(out, expires);
    aws_puts(out, "\"}");
}

void aws_serve_meta(struct aws_exchange *x, int64_t now)
{
    struct aws *m = x->model;
    struct aws_text token;
    x->type = "text/plain";
    if (x->op == AWS_OP_MetadataToken) {
        give_token(x, now);
        return;
    }
    if (!aws_is(x->method, "GET") || x->op == AWS_OP_UnknownMeta) {
        refuse(x, 404);
        return;
    }
    if (x->op == AWS_OP_ContainerCredentials) {
        if (!aws_header_of(x, "authorization", &token) ||
            !aws_is(token, CONTAINER_TOKEN))
            refuse(x, 401);
        else
            put_key(x, now, true);
        return;
    }
    if (!aws_header_of(x, "x-aws-ec2-metadata-token", &token) ||
        m->metadata_token.len == 0 || now >= m->metadata_token_ends ||
        !aws_same(token, aws_view(&m->metadata_token)))
        refuse(x, 401);
    else if (x->op == AWS_OP_MetadataRole)
        aws_puts(&x->out, ROLE);
    else if (x->op == AWS_OP_MetadataRegion)
        aws_puts(&x->out, m->region);
    else if (aws_has(x->path, "/" ROLE))
        put_key(x, now, false);
    else
        refuse(x, 404);
}
