/* record.c - any bytes as the lines of an archive: what makes other lines of
 * them, and what counts them. */
#include "fetch/census.h"
#include "fetch/record.h"

static void begin(struct ring *ring, uint8_t *bytes, uint32_t capacity,
                  struct view in)
{
    ring_init(ring, bytes, capacity);
    ring_write(ring, in);
    ring_end(ring);
}

static void record(const uint8_t *at, uint32_t len)
{
    static uint8_t in_bytes[128], out_bytes[64];
    static struct record r;
    struct fault fault = {0};
    struct ring in, out;

    begin(&in, in_bytes, sizeof in_bytes, (struct view){at, len});
    ring_init(&out, out_bytes, sizeof out_bytes);
    record_init(&r, len % 2 == 0 ? RECORD_TEXT : RECORD_JSON, len % 2 == 0,
                &fault);
    for (int turn = 0; turn < 100; turn++) {
        if (r.stage.step(&r.stage, &in, &out, (struct now){0}) == FLOW_ENDED)
            break;
        ring_consume(&out, ring_len(&out));
    }
}

static void census(const uint8_t *at, uint32_t len)
{
    static uint8_t in_bytes[128];
    static struct census r;
    struct fault fault = {0};
    struct ring in;

    begin(&in, in_bytes, sizeof in_bytes, (struct view){at, len});
    census_init(&r, CENSUS_EITHER, &fault);
    for (int turn = 0; turn < 100; turn++)
        if (r.stage.step(&r.stage, &in, NULL, (struct now){0}) == FLOW_ENDED)
            break;
}

void eva_record(void)
{
    eva_any(2, record);
    eva_any(2, census);
    eva_holes("{\"timestamp\":\"2026-11-09T00:00:00.000Z\",\"message\":\"m\"}\n",
              1, record);
    eva_holes("{\"timestamp\":\"2026-11-09T00:00:00.000Z\",\"message\":\"m\"}\n",
              1, census);
    eva_holes("2026-11-09T00:00:00.000Z m\nn\n", 1, record);
    eva_holes("2026-11-09T00:00:00.000Z m\nn\n", 1, census);
}
