/* posix.h - clocks, environment, small files, signals and the terminal.
 *
 * Also defines core's seams file_read() (call/files.h) and trace_state()
 * (base/trace.h), and mbedTLS's source of randomness (getrandom). */
#ifndef FIRN_PLATFORM_POSIX_H
#define FIRN_PLATFORM_POSIX_H

#include "base/date.h"
#include "call/files.h"
#include "call/settings.h"

struct now posix_now(void);
/* Unpredictable, for jitter and names. */
uint64_t   posix_seed(void);
/* Appends this machine's name and our process number: "ip-10-0-0-7:4711". */
void       posix_holder(struct text *t);
/* Fills s->env by the names of setting_name[]; empty where unset. */
void       posix_environment(struct settings *s);
/* One variable; empty where unset. */
struct view posix_variable(const char *name);

/* Standard input, to its end: for a configuration given as "-". */
enum file_result posix_read_input(struct span room, uint32_t *len);

enum write_result {
    WRITE_DONE,
    WRITE_CLOSED,   /* nobody reads it any more: end quietly */
    WRITE_STOPPED,  /* a signal asked to stop while it was full */
    WRITE_FAILED,   /* errno says why */
};

/* All of it, waiting while a pipe is full. */
enum write_result posix_write(int fd, struct view v);
/* Columns of the terminal that stderr is; 0: it is none. */
uint32_t   posix_columns(void);

/* Signals: SIGTERM and SIGINT ask to stop, and the second one ends the
 * process at once with exit code 75; SIGHUP asks to read the configuration
 * again, if `reload`, and else to stop; SIGPIPE is ignored. */
enum { SIGNAL_STOP = 1, SIGNAL_RELOAD = 2 };

void     posix_signals_init(bool reload);
/* Readable once a signal came: to be polled. Or -1: no descriptor was left,
 * then poll with a timeout. */
int      posix_signals_fd(void);
/* What came since the last call, and makes the descriptor quiet again. */
uint32_t posix_signals_take(void);

struct posix_usage {
    int64_t  cpu_ms;          /* user and system */
    uint64_t rss_bytes;       /* resident now; 0: unknown */
    uint64_t rss_peak_bytes;  /* VmHWM */
};

struct posix_usage posix_usage(void);

/* mbedTLS's source of randomness, declared only in its private headers:
 * fills `out`; 0, or an error of mbedTLS's. */
int mbedtls_hardware_poll(void *context, unsigned char *out, size_t len,
                          size_t *made);

/* Changes of state go to stderr, a JSON line each, from now on. */
void posix_trace(bool on);

#endif
