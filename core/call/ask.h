/* ask.h - the requests that bring keys: written here, sent by credentials.
 *
 * Each fills the exchange of `c`, its URL, headers and body. Sources: EC2
 * user guide, "Use IMDSv2"; SDKs and Tools guide, "Container credential
 * provider"; STS API Reference. */
#ifndef FIRN_CALL_ASK_H
#define FIRN_CALL_ASK_H

#include "call/credentials.h"

/* The instance's session token. */
void ask_token(struct credentials *c);
/* Something of the instance's metadata, with that token. */
void ask_instance(struct credentials *c, const char *path, const char *name);
/* False where it cannot be asked: `why` says it. */
bool ask_container(struct credentials *c, struct fault *why);
bool ask_web(struct credentials *c, const struct endpoint *sts,
             int64_t wall_ms, struct fault *why);
/* roles[hop], signed with the keys before it. */
void ask_role(struct credentials *c, const struct endpoint *sts,
              int64_t wall_ms);

#endif
