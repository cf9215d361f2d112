/* transport.h - seam: start an HTTP exchange, cancel it.
 *
 * platform/transport_curl.c does it over the network, tests/ with a model of
 * AWS and virtual time. It records what happens into the exchange (http.h)
 * between steps of core, never during one, and decides nothing: no redirect
 * is followed, nothing is retried, no header is added but Host, Content-Length
 * and User-Agent. A body that finds no room pauses its transfer alone. */
#ifndef FIRN_CALL_TRANSPORT_H
#define FIRN_CALL_TRANSPORT_H

#include "call/http.h"

struct transport;

/* Added to an exchange's `failure` that will not pass soon: a certificate that
 * is refused, no version of TLS in common. */
enum { TRANSPORT_LASTING = 1000 };

/* The exchange becomes HTTP_ACTIVE. False when every handle is in use: try
 * again after an event. */
bool transport_start(struct transport *t, struct http_exchange *x);
/* Stops it wherever it is; it becomes HTTP_IDLE and is not touched again. */
void transport_cancel(struct transport *t, struct http_exchange *x);

#endif
