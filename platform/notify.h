/* notify.h - tells systemd how we are: sd_notify(3) by hand.
 *
 * Where NOTIFY_SOCKET is set, lines go to that socket; elsewhere nothing
 * happens. It is opened before the lock and never again. */
#ifndef FIRN_PLATFORM_NOTIFY_H
#define FIRN_PLATFORM_NOTIFY_H

#include "base/date.h"

void notify_open(void);
/* "READY=1", "STOPPING=1"; see sd_notify(3). */
void notify_say(const char *line);
/* "RELOADING=1", with the time that systemd wants beside it. */
void notify_reloading(struct now now);
/* Pets the watchdog, where there is one and it is time. */
void notify_alive(struct now now);
/* When to do that next; INT64_MAX: never. */
int64_t notify_wake_ms(void);

#endif
