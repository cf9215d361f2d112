/* sim.h - the network of a simulated run: the tests' AWS behind the transport
 * seam, in virtual time.
 *
 * Core is stepped until nothing moves, then sim_advance() makes the next thing
 * happen: a request arrives, a slice of a reply comes in, a connection breaks,
 * a timer of core's is due. Slices and delays come from a seed, so a run is
 * replayed exactly. A sink without room pauses its exchange, as curl does.
 *
 * Also defines the seams file_read() (no file exists) and trace_state(). */
#ifndef FIRN_TESTS_SIM_H
#define FIRN_TESTS_SIM_H

#include "aws/aws.h"
#include "base/chance.h"
#include "call/site.h"
#include "call/transport.h"

enum { SIM_EXCHANGES = 16 };

struct sim_exchange {
    struct http_exchange   *x;        /* NULL: free */
    struct aws_exchange    *asked;
    const struct aws_reply *reply;    /* NULL: the request is on its way */
    uint64_t delivered;               /* body bytes */
    int64_t  next_ms;                 /* when something happens to it */
    int64_t  heard_ms;                /* of the last byte; for the stall */
    int64_t  deadline_ms;             /* of the request's own timeout */
    bool     headed, spare;           /* `held` has held_len bytes */
    uint32_t held_len;
    uint8_t  held[16384];             /* a slice that found no room */
};

struct transport {
    struct aws     *model;
    struct chance   chance;
    int64_t         wall_ms, mono_ms;
    int64_t         skew_ms;          /* public: our clock minus AWS's */
    uint32_t        slice_most;       /* public: bytes, at most 16384 */
    int64_t         bytes_per_ms;     /* public: of one connection; 0: any */
    uint32_t        limit;            /* public: exchanges at once */
    uint64_t        started, failed;  /* public */
    uint64_t        told;             /* public: requests that hold a secret */
    struct sim_exchange exchange[SIM_EXCHANGES];
};

void       sim_init(struct transport *t, struct aws *model, uint64_t seed,
                    int64_t wall_ms);
struct now sim_now(const struct transport *t);
/* When the next thing happens, mono; INT64_MAX: never. */
int64_t    sim_due_ms(const struct transport *t);
/* Lets the next thing happen, but core's timer at `wake_mono_ms` first if that
 * is due before. False: nothing ever will. */
bool       sim_advance(struct transport *t, int64_t wake_mono_ms);
/* Whether an exchange of the transport's is under way. */
bool       sim_busy(const struct transport *t);
/* As if the process died: all connections end, what was sent took effect. */
void       sim_kill(struct transport *t);
/* A site for the model: region us-east-1, keys of the environment, all
 * services behind one endpoint. Adds the key to the model. */
void       sim_site(struct site *s, struct transport *t, uint32_t rate,
                    uint64_t seed);

#endif
