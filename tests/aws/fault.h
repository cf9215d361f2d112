/* fault.h - faults on a script: one line, one rule.
 *
 *   WHO [WHEN] WHAT...
 *
 * WHO   an operation's name, or * (then every one but Control)
 * WHEN  #N        the N-th request that WHO means, counted from now on
 *       #N-M      the N-th to the M-th; #N- : from the N-th on
 *       %P        with P thousandths of chance, each
 *       times=N   at most N times in all
 *       from=MS until=MS   while the time is within
 *       if=TEXT   where the path, query or a header's value holds TEXT
 *       (without any: always)
 * WHAT  error=CODE [status=N] [message=TEXT]   refused, nothing done
 *       lost             done, then reset before any byte of the reply
 *       reset            nothing done, reset
 *       after error=...  done, but answered with the error
 *       in200 error=...  the error in the body of a 200, nothing done
 *       cut=N            the reply ends after N bytes of body; cut=? chance
 *       stall=N          silence after N bytes of body
 *       hang             no reply at all
 *       delay=MS         reply later
 *       drip=N           N bytes a second
 *       dup              done twice, the second answer returned
 *       flip=N           bit 0 of byte N of the request's body turns
 *       break=N          the connection is reset after N bytes of body sent
 *       block=N          no more than N bytes of body are read, for ever
 *       html | nobody    form of the error's body
 *       retry-after=S    header Retry-After
 *       add=HEADER drop=NAME   of the reply, both: instead; blanks as _
 *       same-token       FilterLogEvents: the next token is this one's
 *       circle           FilterLogEvents: the next token leads to the start
 *       repeat           FilterLogEvents: this page is sent again
 *       empty            FilterLogEvents: no event, and a token
 *       disorder         FilterLogEvents: the first two events turned round
 *       xml=TEXT         more inside the <Error> of S3
 *
 * Of several rules that hold, the first one given acts. TEXT may write _
 * for a blank. Lines that begin with # and empty ones do nothing. */
#ifndef AWS_FAULT_H
#define AWS_FAULT_H

#include "model.h"

#endif
