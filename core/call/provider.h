/* provider.h - which provider of credentials is in force.
 *
 * Order of botocore: environment (unless a profile was asked for by option),
 * the profile's role, web identity, Identity Center and credential_process
 * (both refused, with the cure), keys of the shared files, container,
 * instance. */
#ifndef FIRN_CALL_PROVIDER_H
#define FIRN_CALL_PROVIDER_H

#include "call/credentials.h"

/* Fills provider, base, roles, web and where to ask, all copied. False, and a
 * sentence in `fault`: there is none, or it cannot be used. */
bool provider_choose(struct credentials *c, const struct settings *s,
                     struct fault *fault);
/* For people: "environment", "instance metadata". */
const char *provider_name(const struct credentials *c);

#endif
