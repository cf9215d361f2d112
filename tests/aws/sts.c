/* sts.c - AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity. */
#include "model.h"

#include <string.h>

static bool form_field(struct aws_exchange *x, const char *wanted,
                       struct aws_text *value)
{
    struct aws_text rest = aws_view(&x->body), name;
    while (aws_query_next(x, &rest, &name, value))
        if (aws_is(name, wanted)) return true;
    *value = (struct aws_text){NULL, 0};
    return false;
}

void aws_route_sts(struct aws_exchange *x)
{
    struct aws_text action;
    enum aws_op op;
    x->op = AWS_OP_UnknownSts;
    if (form_field(x, "Action", &action) && aws_op_of(action, &op) &&
        aws_op_service[op] == AWS_SERVICE_STS)
        x->op = op;
}

static void begin(struct aws_exchange *x)
{
    aws_printf(&x->out, "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/"
               "2011-06-15/\"><%sResult>", aws_op_name[x->op],
               aws_op_name[x->op]);
}

static void end(struct aws_exchange *x)
{
    aws_printf(&x->out, "</%sResult><ResponseMetadata><RequestId>",
               aws_op_name[x->op]);
    aws_put_request_id(x, &x->out);
    aws_printf(&x->out, "</RequestId></ResponseMetadata></%sResponse>",
               aws_op_name[x->op]);
}

static bool missing(struct aws_exchange *x, const char *name)
{
    aws_reset(&x->text);
    aws_printf(&x->text, "The request must contain the parameter %s", name);
    aws_fail(x, 400, "ValidationError", x->text.at);
    return false;
}

static bool read_role(struct aws_exchange *x, struct aws_text *role,
                      struct aws_text *label, int64_t *seconds)
{
    struct aws_text value, token;
    *seconds = 3600;
    if (!form_field(x, "RoleArn", role) || !aws_begins(*role, "arn:aws"))
        return missing(x, "RoleArn");
    if (!form_field(x, "RoleSessionName", label) || label->len < 2 ||
        label->len > 64)
        return missing(x, "RoleSessionName");
    if (form_field(x, "DurationSeconds", &value) &&
        (!aws_int(value, seconds) || *seconds < 900 || *seconds > 43200))
        return missing(x, "DurationSeconds");
    if (x->op == AWS_OP_AssumeRoleWithWebIdentity &&
        (!form_field(x, "WebIdentityToken", &token) || token.len < 4 ||
         token.len > 20000))
        return missing(x, "WebIdentityToken");
    return true;
}

static void give_role(struct aws_exchange *x, int64_t now)
{
    struct aws_text role, label, role_name, rest;
    int64_t seconds;
    if (!read_role(x, &role, &label, &seconds)) return;
    int64_t expires = aws_server_now(x->model, now) + seconds * 1000;
    const struct aws_key *key = aws_issue_key(x->model, expires);
    rest = role;
    do role_name = aws_cut(rest, '/', &rest); while (rest.len > 0);
    begin(x);
    aws_printf(&x->out, "<Credentials><AccessKeyId>%s</AccessKeyId>"
               "<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s"
               "</SessionToken><Expiration>", key->id, key->secret,
               key->token);
    aws_put_iso(&x->out, expires);
    aws_printf(&x->out, "</Expiration></Credentials><AssumedRoleUser><Arn>"
               "arn:aws:sts::%s:assumed-role/", x->model->account);
    aws_put_xml(&x->out, role_name);
    aws_puts(&x->out, "/");
    aws_put_xml(&x->out, label);
    aws_puts(&x->out, "</Arn><AssumedRoleId>AROAEXAMPLE</AssumedRoleId>"
                      "</AssumedRoleUser>");
    end(x);
}

static void give_identity(struct aws_exchange *x)
{
    begin(x);
    aws_printf(&x->out, "<Arn>arn:aws:iam::%s:user/tester</Arn><UserId>"
               "AIDAEXAMPLE</UserId><Account>%s</Account>",
               x->model->account, x->model->account);
    end(x);
}

void aws_serve_sts(struct aws_exchange *x, int64_t now)
{
    struct aws_text version;
    x->type = "text/xml";
    if (x->op == AWS_OP_UnknownSts)
        aws_fail(x, 400, "InvalidAction", "Could not find the operation");
    else if (!form_field(x, "Version", &version) ||
             !aws_is(version, "2011-06-15"))
        (void)missing(x, "Version");
    else if (x->op == AWS_OP_GetCallerIdentity)
        give_identity(x);
    else
        give_role(x, now);
}
