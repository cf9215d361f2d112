/* trace.h - seam: report what happened, for people and for tests.
 *
 * platform/ writes these to stderr when asked to; tests record them. The
 * strings are literals or live only for the call; no secret is ever given. */
#ifndef FIRN_BASE_TRACE_H
#define FIRN_BASE_TRACE_H

/* A state machine moved on: "upload", "creating", "sending". */
void trace_state(const char *machine, const char *from, const char *to);

#endif
