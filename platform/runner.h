/* runner.h - what all commands do alike: set up, lock, wait and speak.
 *
 * The order is that of trust: read files, connect to nothing, touch and lock
 * all memory, then run. Results go to stdout, all else to stderr. */
#ifndef FIRN_PLATFORM_RUNNER_H
#define FIRN_PLATFORM_RUNNER_H

#include "call/site.h"
#include "lock.h"
#include "memory.h"
#include "posix.h"
#include "progress.h"
#include "task/manual.h"
#include "task/message.h"
#include "task/report.h"
#include "transport_curl.h"

enum { RUNNER_TEXT_BYTES = 8192, RUNNER_PATH_BYTES = 1280 };

struct runner {
    struct options     options;    /* public: read */
    struct view        region;     /* public: of a configuration; set before
                                      runner_begin(), as is ... */
    uint32_t           rate;       /* ... this; 0: none */
    bool               reload;     /* public: SIGHUP came to a daemon */
    struct transport   transport;
    struct site        site;       /* public: begun by runner_begin() */
    struct progress    progress;   /* public */
    struct lock_report lock;       /* public: once locked */
    char               text[RUNNER_TEXT_BYTES];
    char               path[RUNNER_PATH_BYTES];  /* a URL or file's name */
};

/* The standard descriptors that are closed are held, so that no socket takes
 * their place and is written to by mistake. First of all. */
void runner_hold(void);
/* Settings, site, transport, lock, clocks. `room` is where the shared files
 * are read; it holds zeros afterwards. */
bool runner_begin(struct runner *c, struct span room, struct fault *fault);
/* For another job in the same process: clocks and counters begin anew. What
 * was frozen in between finds its connections dead: none is used again. */
void runner_again(struct runner *c, int64_t deadline_mono_ms);
/* Whether machine and cgroup hold it all, before much of it is touched. */
bool runner_fits(struct fault *fault);
/* All memory touched, and the limits and the filter in force. */
void runner_lock(struct runner *c);
/* Lets the network act, until `wake_ms` at the latest. True: a signal asks to
 * stop. */
bool runner_wait(struct runner *c, int64_t wake_ms, struct now now);

/* The one text that everything is said with. */
struct text runner_text(struct runner *c);
/* A result, to stdout; the exit code: a closed pipe ends quietly. */
int  runner_say(struct runner *c, const struct text *t);
/* The same of what comes piece by piece: `t` is empty afterwards. False: there
 * is no more use in going on, and *code says how that ends. */
bool runner_flush(struct runner *c, struct text *t, int *code);
/* A fault, to stderr; its exit code. */
int  runner_complain(struct runner *c, const struct fault *fault,
                      struct view thing);
/* The same of a signal that stopped it. */
int  runner_stopped(struct runner *c);
/* What was said last, without its newline. */
struct view runner_said(const struct runner *c);

#endif
