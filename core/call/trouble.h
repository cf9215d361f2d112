/* trouble.h - what a reply that is no success means, and what may cure it.
 *
 * The error's code decides, then the status (reference: "Errors and retry
 * policy", "Errors, redirects, retries"); codes come in a header, in JSON or
 * in XML, with or without a namespace or URI around them. */
#ifndef FIRN_CALL_TROUBLE_H
#define FIRN_CALL_TROUBLE_H

#include "base/error.h"
#include "call/endpoint.h"
#include "call/http.h"

enum cure {
    CURE_NONE,      /* final */
    CURE_PAUSE,     /* may pass: again after a pause */
    CURE_SLOW,      /* a throttle: the same, and slower from now on */
    CURE_FEW,       /* may pass, but not often: a few times */
    CURE_KEYS,      /* credentials that expired: once with new ones */
    CURE_CLOCK,     /* perhaps our clock: once by AWS's */
    CURE_REGION,    /* once in the region that it names */
};

struct trouble {
    enum error error;
    enum cure  cure;
    bool       ambiguous;              /* it may have been done all the same */
    char       region[REGION_BYTES];   /* checked; "" if none was named */
    char       host[256];              /* a redirect's; "" if none */
};

/* Reads an exchange that is DONE with another status than 2xx, or FAILED.
 * The code, words and request id go into `fault`, as does the error. */
void trouble_read(struct trouble *t, const struct http_exchange *x,
                  struct fault *fault);
/* The same for a code inside a 200. */
void trouble_of_code(struct trouble *t, struct view code, int32_t status);
/* "aws.x#FooError:http://..." is FooError. */
struct view trouble_clean(struct view code);

#endif
