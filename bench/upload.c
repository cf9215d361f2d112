/* upload.c - firn's way into S3 by itself: standard input to one object.
 *
 *     upload BUCKET KEY [ENDPOINT_URL]     (credentials, region and CA bundle
 *                                           by AWS's variables)
 *
 * firn has no such command. This is its upload stage (ship/upload.h) with its
 * transport, its pool and its lock, put beside programs that upload what they
 * read; there is no checkpoint, so what is killed begins again. Prints what
 * firn prints last, and ends as firn does. */
#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "runner.h"
#include "ship/upload.h"

enum { READ_BYTES = 65536, SETTINGS_BYTES = 65536 };

static struct {
    struct runner runner;
    struct arena  arena;
    struct upload upload;
    struct target target;
    uint8_t  slots[(size_t)CFG_SLOT_COUNT * CFG_SLOT_BYTES];
    uint16_t next[CFG_SLOT_COUNT];
    union {
        uint8_t settings[SETTINGS_BYTES];
        uint8_t bytes[READ_BYTES];
    };
    bool ended;
} job;

/* False: there is no room for more, or there is no more. */
static bool fill(struct upload *u)
{
    if (job.ended || !upload_room(u, READ_BYTES))
        return false;
    ssize_t len = read(STDIN_FILENO, job.bytes, READ_BYTES);
    CHECK(len >= 0);
    if (len > 0) {
        upload_append(u, (struct view){job.bytes, (uint32_t)len});
        upload_block_end(u);
        return true;
    }
    job.ended = true;
    upload_end(u);
    upload_commit(u);
    return true;
}

static enum flow drive(struct runner *r, struct upload *u)
{
    for (;;) {
        struct now now = posix_now();
        enum flow flow = upload_step(u, now);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        bool moved = fill(u) || flow == FLOW_MOVED;
        if (runner_wait(r, moved ? now.mono_ms : upload_wake_ms(u), now)) {
            fault_set(&u->fault, ERROR_STOPPED, "stopped by a signal", 0);
            return FLOW_FAILED;
        }
    }
}

int main(int argc, char **argv)
{
    struct runner *r = &job.runner;
    struct fault fault;
    CHECK(argc >= 3);
    fault_reset(&fault);
    runner_hold();
    r->options.endpoint_url = argc > 3 ? argv[3] : NULL;
    r->options.command = COMMAND_MERGE;
    r->options.give_up_s = 5;
    if (!runner_begin(r, (struct span){job.settings, sizeof job.settings},
                      &fault))
        return runner_complain(r, &fault, view_of(NULL));
    arena_init(&job.arena, (struct span){job.slots, sizeof job.slots},
               job.next, CFG_SLOT_BYTES);
    job.target = (struct target){
        .bucket = view_of(argv[1]), .key = view_of(argv[2]),
        .content_type = view_of("application/octet-stream"),
        .checksum = true,
    };
    upload_init(&job.upload, &r->site, &job.arena, &job.target);
    int code = 0;
    if (drive(r, &job.upload) == FLOW_FAILED)
        code = runner_complain(r, &job.upload.fault, view_of(argv[2]));
    struct report_done done = {
        .exit = code, .counts = {.bytes_stored = job.upload.bytes,
                                 .requests = r->site.requests},
    };
    progress_done(&r->progress, &done, posix_now());
    return code;
}
