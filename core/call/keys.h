/* keys.h - a set of keys, and the replies that bring one.
 *
 * Of an instance's or container's metadata (JSON) and of STS (XML). Whoever
 * holds a struct keys holds secrets: forget it with keys_forget(). */
#ifndef FIRN_CALL_KEYS_H
#define FIRN_CALL_KEYS_H

#include "base/limits.h"
#include "base/text.h"

enum {
    KEYS_ID_BYTES = 132, KEYS_SECRET_BYTES = 132, ROLE_ARN_BYTES = 640,
    ROLE_EXTERNAL_BYTES = 1225, ROLE_SESSION_BYTES = 65,
};

struct keys {
    char     id[KEYS_ID_BYTES];
    char     secret[KEYS_SECRET_BYTES];
    char     token[CFG_SESSION_BYTES];  /* "" for those of a user */
    int64_t  expires_ms;                /* INT64_MAX: never */
    uint32_t serial;                    /* differs between two fetches; 0:
                                           there are none */
};

/* What STS is asked for. */
struct role {
    char     arn[ROLE_ARN_BYTES];
    char     external_id[ROLE_EXTERNAL_BYTES];
    char     session[ROLE_SESSION_BYTES];  /* "": one is made up */
    uint32_t duration_s;                   /* 0: AWS's default */
};

/* Static ones. False: one is empty, too long or holds a control byte. */
bool keys_set(struct keys *k, struct view id, struct view secret,
              struct view token);
/* The reply of metadata, 200. False: it is not that; *code is then its
 * "Code" or "". */
bool keys_of_json(struct keys *k, struct view reply, char code[64]);
/* The reply of STS, 200. */
bool keys_of_xml(struct keys *k, struct view reply);
/* The reply of either, no 200, in words: `Code, "Message"`. Whether the same
 * question, the token file read again, may be answered later. */
bool keys_refusal(struct text *words, int32_t status, struct view error);
/* The body of AssumeRole, or with a token of AssumeRoleWithWebIdentity. */
bool keys_ask(struct text *body, const struct role *role,
              struct view web_token, int64_t wall_ms);
void keys_forget(struct keys *k);

/* Overwrites, whatever the compiler thinks of it. */
void secret_wipe(void *at, size_t bytes);

#endif
