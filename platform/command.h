/* command.h - the commands of firn, and the memory that they share.
 *
 * One command a run: what each needs lies in one union. Every function sets
 * up, runs and speaks for its command, and returns the exit code. */
#ifndef FIRN_PLATFORM_COMMAND_H
#define FIRN_PLATFORM_COMMAND_H

#include "runner.h"
#include "task/adopt.h"
#include "task/archive.h"
#include "task/cat.h"
#include "task/restore.h"
#include "task/verify.h"
#include "task/retention.h"
#include "task/overview.h"
#include "task/stock.h"
#include "task/status.h"
#include "task/daemon.h"
#include "task/draft.h"
#include "task/doctor.h"
#include "task/policy.h"
#include "task/run.h"
#include "task/invocation.h"

enum { COMMAND_STEPS = 64 };  /* before the network is looked at again */

/* A configuration that lies in S3, while it is read. */
struct fetching {
    struct object object;
    struct ring   ring;
    uint8_t       bytes[CFG_LANE_RING_BYTES];
};

/* All memory of the program but the pool and the stack. */
struct memory {
    struct runner runner;
    union {
        struct archive archive;
        struct adopt   adopt;
        struct verify  verify;
        struct restore restore;
        struct status  status;
        struct retention retention;
        struct run     run;
        struct overview overview;
        struct {
            struct stock stock;
            union {
                struct cat    cat;
                struct verify verify;
            };
        } stocked;
        struct fetching fetching;
        struct {
            struct fetching before;  /* may be under way */
            char old[CFG_CONFIG_BYTES + 1];  /* a text that may come back */
            _Alignas(8) uint8_t room[10 * CFG_CONFIG_BYTES];
        } changing;
        struct draft   draft;
        struct doctor  doctor;
        struct policy  policy;
    } job;
    struct config config;
    struct invocation invocation;  /* under Lambda */
};

int command_run(struct memory *m);
int command_daemon(struct memory *m);

int command_archive(struct memory *m);
int command_adopt(struct memory *m);
int command_cat(struct memory *m);
int command_verify(struct memory *m);
int command_restore(struct memory *m);
int command_status(struct memory *m);
int command_retention(struct memory *m);
int command_schedule(struct memory *m);

/* Instead of a command, where AWS_LAMBDA_RUNTIME_API is set: serves events,
 * and does not come back while that goes well. */
int command_lambda(struct memory *m);

/* A job in a runner that has begun, with what is to be said of it. */
int run_archive(struct memory *m, const struct spec *spec);
int run_due(struct memory *m);
int command_init(struct memory *m);
int command_doctor(struct memory *m);
int command_policy(struct memory *m);

/* What became of a job, to stdout and stderr; the exit code. */
int say_archive(struct runner *r, const struct archive *a, enum flow flow);
int say_retention(struct runner *r, const struct retention *job);
int say_verified(struct runner *r, const struct verify_result *result);
/* How far it is. */
void show_archive(struct runner *r, const struct archive *a, struct now now);
void show_verify(struct runner *r, const struct verify *v, struct now now);

/* configure.c: reads m->config from a file, "-", s3://BUCKET/KEY, or what is
 * JSON itself, and begins the runner. False: `fault`. */
bool configure(struct memory *m, const char *where, struct fault *fault);
/* What errors of reading it are about: its URL; of others, their own words
 * name it. */
struct view configured_from(const char *where);
/* The same in a runner that has begun, between two jobs; false: the one that
 * was there stays. */
bool configure_again(struct memory *m, const char *where,
                     struct fault *fault);

#endif
