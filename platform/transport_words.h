/* transport_words.h - what libcurl's failures are called. */
#ifndef FIRN_PLATFORM_TRANSPORT_WORDS_H
#define FIRN_PLATFORM_TRANSPORT_WORDS_H

#include <curl/curl.h>
#include <stdbool.h>

struct words_case {
    CURLcode    code;         /* not CURLE_OK */
    long        os_error;     /* errno, or 0 */
    bool        connected;    /* the request was under way */
    bool        stalled;      /* it timed out for lack of bytes */
    const char *message;      /* curl's; holds mbedTLS's number, if one */
    const char *certificate;  /* why it was refused, or NULL */
};

/* mbedTLS's error, which curl prints as "(-0x7780)"; 0 when there is none. */
int words_tls_error(const char *message);
/* One literal reason each, to stand after "service unreachable: ". */
const char *words_of(const struct words_case *c);
/* Whether another attempt will most likely meet the same. */
bool words_lasting(const struct words_case *c);

#endif
