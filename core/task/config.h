/* config.h - the configuration: which log groups, and what is done with them.
 *
 * A JSON object (contract, section 4), read from a text that lies in the
 * struct. Nothing else is kept of it but where the groups stand: all settings
 * are views into the text, and those of a group are read again from its own
 * object when they are wanted. Keys that begin with // and $schema are passed
 * over; whatever else is not known, of the wrong type or of no sense is
 * refused, with its line and column.
 *
 *     ... up to CFG_CONFIG_BYTES into c->text, c->len of them ...
 *     if (config_read(c, view_of("firn.json"), room, &fault))
 *         entry = config_find(c, name, role);
 *
 * Which entry a group's name is of: an exact name beats a pattern, a longer
 * pattern a shorter, the first of two as long; what is excluded is of none.
 * Groups of two roles are of two accounts: entries of one role say nothing of
 * the groups that another one sees. The struct must not be moved. */
#ifndef FIRN_TASK_CONFIG_H
#define FIRN_TASK_CONFIG_H

#include "task/plan.h"

enum {
    CONFIG_NONE      = -1,
    CONFIG_DAYS_MOST = 3653,  /* ten years; what run keeps of a group's days */
};

enum config_via { CONFIG_READ, CONFIG_EXPORT };

/* What is to be done with a group; the file's, or one entry's. */
struct config_settings {
    struct view to, timezone, storage_class, sse, sse_kms_key_id;
    struct view bucket_owner, role_arn;   /* may be empty */
    struct view since;                    /* "2026-11-01", or empty */
    uint32_t    age_days, backfill_days;
    uint32_t    retention_days;           /* 0: never touched */
    uint32_t    format, compress, via;    /* enum format, compress,
                                             config_via */
    uint32_t    no_checksum;
    bool        field_ingested, field_id, accept_provisional;

    /* Of the file alone. */
    struct view region, schedule, state;  /* the last may be empty */
    uint32_t    rate;                     /* 0: half the quota */
};

/* Where in the text an entry stands. */
struct config_piece {
    uint16_t at, len;
};

struct config_group {
    struct config_piece name;    /* without its quotes; may hold * */
    struct config_piece object;  /* empty: a name alone */
    struct config_piece role;    /* empty: nobody else's */
};

struct config {
    struct config_settings settings;      /* public: of the file */
    uint32_t group_count, exclude_count;  /* public */
    uint32_t len;                         /* public: bytes of text */
    struct config_group group[CFG_CONFIG_GROUPS];  /* groups, then exclude */
    char     text[CFG_CONFIG_BYTES];
};

/* Reads what lies in the text. `name` is how errors call it; `room` is where
 * jsmn works, while it is read. False: a sentence in `fault`. */
bool config_read(struct config *c, struct view name, struct span room,
                 struct fault *fault);
/* The name of an entry; a pattern, if it holds a *. */
struct view config_name(const struct config *c, uint32_t entry);
struct view config_role(const struct config *c, uint32_t entry);
/* The entry that a group of this account is of; CONFIG_NONE. */
int32_t config_find(const struct config *c, struct view group,
                    struct view role);
/* Whether any entry speaks for that group. */
bool config_has(const struct config *c, struct view group);
/* The settings of an entry. */
void config_settings(struct config *c, uint32_t entry,
                     struct config_settings *out);
/* A group's spec, all but its window. */
void config_spec(const struct config_settings *s, struct view group,
                 struct spec *spec);

_Static_assert(CFG_CONFIG_BYTES <= UINT16_MAX + 1, "pieces are 16 bits");

#endif
