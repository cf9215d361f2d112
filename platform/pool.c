/* pool.c - segregated free lists over one array. */
#include "pool.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"

/* A block starts 8 bytes before a multiple of 16, so that its payload is
 * aligned. Its size is a multiple of 16, which leaves four bits for flags.
 * A free block holds its links in its payload and its size once more in its
 * last four bytes, where the block after it finds it. */
struct block {
    uint32_t size;  /* bytes, header included, and the flags */
    uint32_t mark;  /* tells a header from what is none */
};

struct links {
    uint32_t next, prev;  /* of the same list: offsets, 0 is none */
};

enum {
    FREE = 1,       /* flags of `size`: this block is free */
    PREV_FREE = 2,  /* the block before this one is */
    FLAGS = 15,
    HEADER = 8,
    BLOCK_LEAST = 32,
    ROW_FIRST = 5,  /* log2 of the least block */
    ROW_COUNT = 20, /* so that 16 MiB can be managed */
    COLUMN_BITS = 3,
    COLUMN_COUNT = 1 << COLUMN_BITS,
    LARGE = 8192,   /* cut from a block's end, away from the small ones */
    TRIES = 8,      /* blocks of the exact class looked at for a fit */
};

_Static_assert(CFG_POOL_BYTES % 16 == 0, "the pool is made of 16 bytes");
_Static_assert(CFG_POOL_BYTES < 1 << (ROW_FIRST + ROW_COUNT),
               "the free lists must reach to the pool's size");

static const uint32_t mark_used = 0x75736564;
static const uint32_t mark_free = 0x66726565;

static _Alignas(4096) uint8_t memory[CFG_POOL_BYTES];
static struct {
    bool     ready;
    uint32_t rows;                    /* bit: the row has a free block */
    uint8_t  columns[ROW_COUNT];      /* bit: the list has one */
    uint32_t first[ROW_COUNT][COLUMN_COUNT];
    uint64_t fail_at;                 /* of use.count; 0: never */
    struct pool_use use;
} pool;

struct class {
    uint32_t row, column;
};

static struct block *block_at(uint32_t offset)
{
    CHECK(offset >= HEADER && offset <= CFG_POOL_BYTES - HEADER);
    return (struct block *)(void *)(memory + offset);
}

static uint32_t offset_of(const struct block *b)
{
    return (uint32_t)((const uint8_t *)b - memory);
}

static uint32_t size_of(const struct block *b)
{
    return b->size & ~(uint32_t)FLAGS;
}

static struct links *links(struct block *b)
{
    return (struct links *)(b + 1);
}

static struct block *after(const struct block *b)
{
    return block_at(offset_of(b) + size_of(b));
}

static struct block *before(const struct block *b)
{
    uint32_t size;

    memcpy(&size, (const uint8_t *)b - sizeof size, sizeof size);
    CHECK(size <= offset_of(b));
    return block_at(offset_of(b) - size);
}

static struct class class_of(uint32_t size)
{
    uint32_t log = 31 - (uint32_t)__builtin_clz(size);
    uint32_t column = (size >> (log - COLUMN_BITS)) & (COLUMN_COUNT - 1);

    return (struct class){log - ROW_FIRST, column};
}

static void list_add(struct block *b)
{
    struct class c = class_of(size_of(b));
    uint32_t *first = &pool.first[c.row][c.column];

    *links(b) = (struct links){*first, 0};
    if (*first != 0)
        links(block_at(*first))->prev = offset_of(b);
    *first = offset_of(b);
    pool.rows |= 1u << c.row;
    pool.columns[c.row] |= (uint8_t)(1u << c.column);
}

static void list_remove(struct block *b)
{
    struct class c = class_of(size_of(b));
    struct links l = *links(b);
    uint32_t *first = &pool.first[c.row][c.column];

    CHECK(b->mark == (mark_free ^ offset_of(b)));
    if (l.next != 0)
        links(block_at(l.next))->prev = l.prev;
    if (l.prev != 0)
        links(block_at(l.prev))->next = l.next;
    else
        *first = l.next;
    if (*first != 0)
        return;
    pool.columns[c.row] &= (uint8_t)~(1u << c.column);
    if (pool.columns[c.row] == 0)
        pool.rows &= ~(1u << c.row);
}

/* Makes `size` bytes at `offset` a free block; its neighbours are in use. */
static void make_free(uint32_t offset, uint32_t size)
{
    struct block *b = block_at(offset);

    b->size = size | FREE;
    b->mark = mark_free ^ offset;
    after(b)->size |= PREV_FREE;
    memcpy((uint8_t *)b + size - sizeof size, &size, sizeof size);
    list_add(b);
}

/* Makes it a block in use; `flags` may be PREV_FREE. */
static struct block *make_used(uint32_t offset, uint32_t size, uint32_t flags)
{
    struct block *b = block_at(offset);

    b->size = size | flags;
    b->mark = mark_used ^ offset;
    after(b)->size &= ~(uint32_t)PREV_FREE;
    return b;
}

static void pool_init(void)
{
    struct block *end = block_at(CFG_POOL_BYTES - HEADER);

    pool.ready = true;
    end->size = 0;  /* in use for ever, so that nothing joins with it */
    end->mark = mark_used ^ offset_of(end);
    make_free(HEADER, CFG_POOL_BYTES - 2 * HEADER);
}

static struct block *find_above(struct class c)
{
    uint32_t columns = pool.columns[c.row] & (~0u << c.column << 1);
    uint32_t rows = pool.rows & (~0u << c.row << 1);

    if (columns == 0) {
        if (rows == 0)
            return NULL;
        c.row = (uint32_t)__builtin_ctz(rows);
        columns = pool.columns[c.row];
    }
    c.column = (uint32_t)__builtin_ctz(columns);
    return block_at(pool.first[c.row][c.column]);
}

/* A good fit: one of the first blocks of its own class if it is large enough,
 * else any of the next class that has one. */
static struct block *find(uint32_t size)
{
    struct class c = class_of(size);
    uint32_t offset = pool.first[c.row][c.column];

    for (uint32_t i = 0; i < TRIES && offset != 0; i++) {
        struct block *b = block_at(offset);
        if (size_of(b) >= size)
            return b;
        offset = links(b)->next;
    }
    return find_above(c);
}

static void count_use(uint32_t more, uint32_t less)
{
    pool.use.used += more - less;
    if (pool.use.used > pool.use.peak)
        pool.use.peak = pool.use.used;
}

/* Gives back all but the first `size` bytes of a block in use. */
static void trim(struct block *b, uint32_t size)
{
    uint32_t rest = size_of(b) - size;
    struct block *next = after(b);

    if (rest < BLOCK_LEAST)
        return;
    if ((next->size & FREE) != 0) {
        list_remove(next);
        rest += size_of(next);
    }
    b->size = size | (b->size & PREV_FREE);
    make_free(offset_of(b) + size, rest);
}

static struct block *take(uint32_t size)
{
    struct block *b = find(size);
    uint32_t whole;

    if (b == NULL)
        return NULL;
    list_remove(b);
    whole = size_of(b);
    if (size >= LARGE && whole - size >= BLOCK_LEAST) {
        uint32_t at = offset_of(b) + whole - size;
        make_used(at, size, PREV_FREE);
        make_free(offset_of(b), whole - size);
        b = block_at(at);
    } else {
        make_used(offset_of(b), whole, b->size & PREV_FREE);
    }
    trim(b, size);
    count_use(size_of(b), 0);
    return b;
}

static void *refuse(size_t bytes)
{
    pool.use.failures++;
    pool.use.failed_bytes =
        bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
    errno = ENOMEM;
    return NULL;
}

static void *payload(struct block *b)
{
    return (uint8_t *)b + HEADER;
}

/* The block of a pointer that the pool gave out and still is in use. */
static struct block *block_of(const void *p)
{
    uint32_t offset;

    CHECK((const uint8_t *)p > memory);
    CHECK((const uint8_t *)p < memory + CFG_POOL_BYTES);
    offset = (uint32_t)((const uint8_t *)p - memory) - HEADER;
    CHECK(offset % 16 == HEADER);
    CHECK(block_at(offset)->mark == (mark_used ^ offset));
    return block_at(offset);
}

static uint32_t block_bytes(size_t bytes)
{
    uint32_t size = ((uint32_t)bytes + HEADER + 15) & ~15u;

    return size < BLOCK_LEAST ? BLOCK_LEAST : size;
}

/* Counts an allocation, and says whether it may be tried. */
static bool admit(size_t bytes)
{
    if (!pool.ready)
        pool_init();
    pool.use.count++;
    return bytes < CFG_POOL_BYTES && pool.use.count != pool.fail_at;
}

void *malloc(size_t bytes)
{
    struct block *b = admit(bytes) ? take(block_bytes(bytes)) : NULL;

    return b == NULL ? refuse(bytes) : payload(b);
}

void free(void *p)
{
    struct block *b, *next;
    uint32_t offset, size;

    if (p == NULL)
        return;
    b = block_of(p);
    next = after(b);
    offset = offset_of(b);
    size = size_of(b);
    count_use(0, size);
    b->mark = 0;
    if ((next->size & FREE) != 0) {
        list_remove(next);
        size += size_of(next);
    }
    if ((b->size & PREV_FREE) != 0) {
        b = before(b);
        list_remove(b);
        offset = offset_of(b);
        size += size_of(b);
    }
    make_free(offset, size);
}

void *calloc(size_t count, size_t bytes)
{
    void *p;

    if (bytes != 0 && count > CFG_POOL_BYTES / bytes)
        return refuse(SIZE_MAX);
    p = malloc(count * bytes);
    if (p != NULL)
        memset(p, 0, count * bytes);
    return p;
}

/* Room in place, out of a free block behind it. */
static bool grow(struct block *b, uint32_t size)
{
    struct block *next = after(b);
    uint32_t whole = size_of(b) + size_of(next);

    if ((next->size & FREE) == 0 || whole < size)
        return false;
    list_remove(next);
    make_used(offset_of(b), whole, b->size & PREV_FREE);
    return true;
}

void *realloc(void *p, size_t bytes)
{
    struct block *b, *moved;
    uint32_t size, was;

    if (p == NULL)
        return malloc(bytes);
    b = block_of(p);
    if (!admit(bytes))
        return refuse(bytes);
    size = block_bytes(bytes);
    was = size_of(b);
    if (was >= size || grow(b, size)) {
        trim(b, size);
        count_use(size_of(b), was);
        return p;
    }
    moved = take(size);
    if (moved == NULL)
        return refuse(bytes);
    memcpy(payload(moved), p, was - HEADER);
    free(p);
    return payload(moved);
}

/* Cuts `gap` bytes off the front of a block in use and frees them. */
static struct block *cut_front(struct block *b, uint32_t gap)
{
    uint32_t offset = offset_of(b), whole = size_of(b);
    uint32_t flags = b->size & PREV_FREE;

    make_used(offset + gap, whole - gap, 0);
    free(payload(make_used(offset, gap, flags)));
    return block_at(offset + gap);
}

void *memalign(size_t align, size_t bytes)
{
    struct block *b;
    uint32_t gap, was;
    void *p;

    if (align <= 16)
        return malloc(bytes);
    if (align >= CFG_POOL_BYTES || bytes >= CFG_POOL_BYTES)
        return refuse(bytes);
    p = malloc(bytes + align + BLOCK_LEAST);
    if (p == NULL)
        return NULL;
    b = block_of(p);
    gap = (uint32_t)(-(uintptr_t)p & (align - 1));
    if (gap != 0 && gap < BLOCK_LEAST)
        gap += (uint32_t)align;
    if (gap != 0)
        b = cut_front(b, gap);
    was = size_of(b);
    trim(b, block_bytes(bytes));
    count_use(size_of(b), was);
    return payload(b);
}

void *aligned_alloc(size_t align, size_t bytes)
{
    if (align == 0 || (align & (align - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return memalign(align, bytes);
}

int posix_memalign(void **out, size_t align, size_t bytes)
{
    void *p;

    if (align < sizeof(void *) || (align & (align - 1)) != 0)
        return EINVAL;
    p = memalign(align, bytes);
    if (p == NULL)
        return ENOMEM;
    *out = p;
    return 0;
}

size_t malloc_usable_size(void *p)
{
    return p == NULL ? 0 : size_of(block_of(p)) - HEADER;
}

struct pool_use pool_use(void)
{
    return pool.use;
}

struct span pool_memory(void)
{
    return (struct span){memory, sizeof memory};
}

void pool_fail(uint64_t nth)
{
    pool.fail_at = nth == 0 ? 0 : pool.use.count + nth;
}
