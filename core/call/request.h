/* request.h - a call's request, as it is sent. */
#ifndef FIRN_CALL_REQUEST_H
#define FIRN_CALL_REQUEST_H

#include "call/call.h"

/* Writes URL, body and signed headers into the exchange, which is reset.
 * False: a limit was reached; `fault` names it. */
bool request_write(struct call *c, struct now aws, struct fault *fault);
/* The endpoint of this call: S3's may be in another region than ours. */
struct endpoint request_endpoint(const struct call *c);

#endif
