/* fuzz_reply.c - any bytes as a reply's head and body, as AWS's error, as keys
 * of a metadata service: no crash, and text that is terminated. */
#include "call/keys.h"
#include "call/trouble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_reply(struct view in)
{
    static struct http_exchange x;
    struct trouble trouble;
    struct fault fault;
    memset(&x, 0, sizeof x);
    http_reset(&x);
    x.state = HTTP_ACTIVE;
    struct view body = in;
    for (int i = 0; i < 64 && body.len > 0; i++) {
        struct view line = view_split(&body, '\n');
        if (line.len == 0)
            break;
        http_head_line(&x, line);
    }
    CHECK(http_body(&x, body));
    http_finish(&x, 0, NULL);
    trouble_read(&trouble, &x, &fault);
    CHECK(strlen(fault.words) < sizeof fault.words);
    CHECK(strlen(fault.code) < sizeof fault.code);
    CHECK(trouble.region[0] == '\0' ||
          endpoint_region_ok(view_of(trouble.region)));
}

static void as_keys(struct view in)
{
    static struct keys keys;
    char code[64];
    if (keys_of_json(&keys, in, code) || keys_of_xml(&keys, in))
        CHECK(keys.id[0] != '\0' && strchr(keys.token, '\n') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1u << 16)
        return 0;
    struct view in = {data, (uint32_t)size};
    as_reply(in);
    as_keys(in);
    return 0;
}
