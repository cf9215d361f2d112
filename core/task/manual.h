/* manual.h - what --help prints, made from the tables of options.h. */
#ifndef FIRN_TASK_MANUAL_H
#define FIRN_TASK_MANUAL_H

#include "task/options.h"

enum { MANUAL_BYTES = 8192 };

/* Of one command, or with COMMAND_NONE of firn itself. */
void manual_write(struct text *out, enum command command);

#endif
