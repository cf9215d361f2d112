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
#include "task/status.h"

enum { COMMAND_STEPS = 64 };  /* before the network is looked at again */

/* All memory of the program but the pool and the stack. */
struct memory {
    struct runner runner;
    union {
        struct archive archive;
        struct adopt   adopt;
        struct cat     cat;
        struct verify  verify;
        struct restore restore;
        struct status  status;
        struct retention retention;
    } job;
};

int command_archive(struct memory *m);
int command_adopt(struct memory *m);
int command_cat(struct memory *m);
int command_verify(struct memory *m);
int command_restore(struct memory *m);
int command_status(struct memory *m);
int command_retention(struct memory *m);

#endif
