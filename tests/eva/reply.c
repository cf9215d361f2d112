/* reply.c - any bytes as AWS's error, and as keys of a metadata service. */
#include "call/keys.h"
#include "call/trouble.h"

static void trouble(const uint8_t *at, uint32_t len)
{
    static struct http_exchange x;
    struct trouble t;
    struct fault fault;

    memset(&x, 0, sizeof x);
    http_reset(&x);
    x.state = HTTP_ACTIVE;
    x.reply.status = 400;
    http_body(&x, (struct view){at, len});
    http_finish(&x, 0, NULL);
    trouble_read(&t, &x, &fault);
}

static void keys(const uint8_t *at, uint32_t len)
{
    static struct keys k;
    char code[64];

    keys_of_json(&k, (struct view){at, len}, code);
    keys_of_xml(&k, (struct view){at, len});
}

void eva_reply(void)
{
    eva_any(1, trouble);
    eva_any(1, keys);
    eva_holes("{\"__type\":\"a#B:c\"}", 1, trouble);
    eva_holes("<Error><Code>B</Code></Error>", 1, trouble);
}
