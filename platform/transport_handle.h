/* transport_handle.h - one of the transport's easy handles.
 *
 * What concerns a single request: its options, its header lines, and the
 * callbacks that record into the exchange. transport_curl.c owns the slots
 * and drives them. Failures to set an option are kept in slot->doomed. */
#ifndef FIRN_PLATFORM_TRANSPORT_HANDLE_H
#define FIRN_PLATFORM_TRANSPORT_HANDLE_H

#include "transport_curl.h"

/* Makes the handle, with all that no request changes. False: pool full. */
bool handle_make(struct transport_slot *s, const char *user_agent);
/* Everything that the request in s->x asks for. */
void handle_request(struct transport_slot *s, const struct http_request *r);
/* Which versions of TLS its host is offered. */
void handle_version(struct transport_slot *s);
/* Whether the sink has room for a piece, or half of what a small one holds:
 * worth reading on. */
bool handle_has_room(const struct http_exchange *x);

#endif
