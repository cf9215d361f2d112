/* invocation.h - AWS Lambda's runtime API: the next event, and its answer.
 *
 *   ask for the next event, for as long as it takes -> HELD: the caller works
 *   -> the answer, or an error, is told -> ask again
 *
 *     invocation_init(i, transport, view_of("127.0.0.1:9001"), &fault);
 *     for (;;)
 *         switch (invocation_step(i)) {
 *         case FLOW_ENDED:   ... i->demand, or i->refused why it is none ...
 *                            invocation_answer(i, json); or
 *                            invocation_error(i, code, words);
 *         case FLOW_FAILED:  ... i->fault; the process ends ...
 *
 * The process may be frozen while it asks, for hours: no time runs against
 * it. What the API answers with 4xx to an answer is the event's misfortune,
 * and the next one is asked for (`answered` has the status); where it answers
 * 5xx or not at all, Lambda wants the process to end. An error makes Lambda
 * call again with the same event, twice, so a run that its deadline stopped is
 * answered and not an error.
 *
 * Lambda-Runtime-Trace-Id is not kept: firn makes no traces. Sources: Lambda
 * developer guide, "Using the Lambda runtime API for custom runtimes"; its
 * C++ client. The caller owns it; it must not be moved. */
#ifndef FIRN_TASK_INVOCATION_H
#define FIRN_TASK_INVOCATION_H

#include "base/stage.h"
#include "call/transport.h"
#include "task/demand.h"

enum {
    INVOCATION_BYTES        = 4096,  /* of an event, larger ones are none of
                                        ours; and of an answer */
    INVOCATION_RING_BYTES   = 2048,
    INVOCATION_MARGIN_MS    = 3000,  /* before the deadline: to write the
                                        checkpoint, and to answer */
};

struct invocation {
    enum invocation_state {
        INVOCATION_ASKING,   /* waits for an event */
        INVOCATION_HELD,     /* waits for the caller's answer */
        INVOCATION_TELLING,  /* waits for the API to take it */
        INVOCATION_FAILED,   /* final; fault says why */
    } state;                 /* public */
    struct fault  fault;     /* public once INVOCATION_FAILED */
    struct fault  refused;   /* public while INVOCATION_HELD: the event asks
                                for nothing that firn does */
    struct demand demand;    /* public while INVOCATION_HELD */
    int32_t       answered;  /* public: the status that the last answer got; 0:
                                none */

    struct transport     *transport;
    struct http_exchange  exchange;
    struct ring           ring;
    struct text           event, url, headers;
    struct view           slice;        /* the answer, in `bytes` */
    int64_t               deadline_ms;  /* wall; 0: none was told */
    bool                  last;         /* it ends after what is told */
    char    id[HTTP_WORD_BYTES], attempt[HTTP_WORD_BYTES];
    char    base[64];                   /* "http://127.0.0.1:9001" */
    char    url_bytes[64 + 3 * HTTP_WORD_BYTES + 64];
    char    header_bytes[384];
    char    bytes[INVOCATION_BYTES + 1];
    uint8_t ring_bytes[INVOCATION_RING_BYTES];
};

/* `api` is AWS_LAMBDA_RUNTIME_API. False: it is not on this machine. */
bool invocation_init(struct invocation *i, struct transport *t,
                     struct view api, struct fault *fault);
/* FLOW_ENDED: an event is in hand. */
enum flow invocation_step(struct invocation *i);
/* When work on the event in hand is to stop; INT64_MAX: never. */
int64_t invocation_stop_mono_ms(const struct invocation *i, struct now now);

/* Of the event in hand: JSON of at most INVOCATION_BYTES ... */
void invocation_answer(struct invocation *i, struct view json);
/* ... or that it failed with an exit code (contract, section 2). The words are
 * cut to what there is room for. */
void invocation_error(struct invocation *i, int code, struct view words);
/* Instead of asking at all: firn cannot begin. The next steps tell it and end
 * in FLOW_FAILED. */
void invocation_abandon(struct invocation *i, int code, struct view words);

#endif
