/* intake.c - see intake.h. */
#include "task/intake.h"

#include "base/check.h"

static bool merges(const struct archive *a)
{
    return a->lent;
}

/* The upload's call, to what is sorted, as soon as it is idle. */
static bool lends_call(const struct archive *a)
{
    return a->merge.ordered && a->merge.order.state < ORDER_GIVING;
}

enum flow intake_step(struct archive *a)
{
    struct join_kept kept = {
        .ahead = upload_slots_needed(&a->upload),
        .head = upload_slots_needed(&a->upload),
    };
    if (merges(a) && a->upload.state != UPLOAD_FILLING &&
        (a->upload.state == UPLOAD_RESUMING || lends_call(a)))
        return FLOW_WANT_EVENT;
    return merges(a) ? merge_step(&a->merge, a->now)
                     : join_step(&a->join, a->now, kept);
}

static const struct block *next_block(const struct archive *a)
{
    if (!merges(a))
        return join_block(&a->join);
    return a->merge.recut.ready ? &a->merge.recut.block : NULL;
}

static void take_block(struct archive *a)
{
    if (merges(a))
        merge_take(&a->merge);
    else
        join_take(&a->join);
}

void intake_cancel(struct archive *a)
{
    if (merges(a))
        merge_cancel(&a->merge);
    else
        join_cancel(&a->join);
}

void intake_move(struct archive *a, uint32_t left, bool stored)
{
    struct chain *chain = &a->merge.recut.chain;

    while (left > 0) {
        struct view piece = merges(a) ? chain_peek(&a->arena, chain)
                                      : join_peek(&a->join);
        piece.len = piece.len < left ? piece.len : left;
        CHECK(piece.len > 0);
        if (!stored)
            upload_append(&a->upload, piece);
        if (merges(a))
            chain_consume(&a->arena, chain, piece.len);
        else
            join_consume(&a->join, piece.len);
        left -= piece.len;
    }
}

static void add_block(struct archive *a, const struct block *b,
                      uint64_t raw_offset)
{
    struct upload *u = &a->upload;
    uint32_t closed = u->closed;

    if (upload_offset(u) == 0) {
        uint8_t header[PACK_HEADER_BYTES];
        uint32_t len = pack_header(a->shared.pack.kind, header);
        upload_append(u, (struct view){header, len});
    }
    index_add(&a->index, &(struct index_entry){
                             .offset = upload_offset(u),
                             .raw_offset = raw_offset,
                             .least_ms = b->first_ms,
                             .greatest_ms = b->last_ms,
                             .events = b->events,
                         });
    intake_move(a, b->packed_bytes, false);
    upload_block_end(u);
    if (u->closed != closed) {
        struct upload_stored so_far = upload_closed(u);
        journal_close(&a->journal, &so_far);
    }
}

/* The next block, whole, goes from its lane to the part in hand, unless it is
 * stored already. */
bool intake_block(struct archive *a)
{
    const struct block *b = next_block(a);
    uint64_t raw_offset = a->journal.now.bytes_raw;
    enum journal_block added;

    if (b == NULL || !upload_room(&a->upload, b->packed_bytes +
                                                  PACK_HEADER_BYTES))
        return false;
    added = journal_add(&a->journal, b);
    if (merges(a))
        merge_note(&a->merge, &a->journal);
    switch (added) {
    case JOURNAL_NEW:
        add_block(a, b, raw_offset);
        break;
    case JOURNAL_DROP:
        intake_move(a, b->packed_bytes, true);
        break;
    case JOURNAL_DIFFERS:
        a->again = true;
        return false;
    }
    a->counts.reached_ms = b->last_ms;
    take_block(a);
    return true;
}

/* The archive's last bytes; of an empty day, all of them. */
bool intake_end(struct archive *a)
{
    uint8_t bytes[PACK_HEADER_BYTES + PACK_TRAILER_BYTES + PACK_EMPTY_BYTES];
    enum pack_kind kind = a->shared.pack.kind;
    uint32_t len = 0;

    if (merges(a) && a->mode == MERGE_COMPOSE &&
        upload_offset(&a->upload) > 0) {
        upload_end(&a->upload);  /* as it is */
        return true;
    }
    if (!upload_room(&a->upload, sizeof bytes))
        return false;
    if (upload_offset(&a->upload) == 0) {
        len = pack_header(kind, bytes);
        len += pack_empty(&a->shared.pack, bytes + len);
    }
    len += pack_trailer(kind, a->journal.now.crc, a->journal.now.bytes_raw,
                        bytes + len);
    upload_append(&a->upload, (struct view){bytes, len});
    upload_end(&a->upload);
    return true;
}
