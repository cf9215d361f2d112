/* config_keys.h - the keys of a configuration: a table, and what each takes.
 *
 * One row says all of a key: its name, where it may stand, what its value must
 * be and where that goes. For config.c. */
#ifndef FIRN_TASK_CONFIG_KEYS_H
#define FIRN_TASK_CONFIG_KEYS_H

#include "base/json.h"
#include "task/config.h"

enum config_scope {
    CONFIG_OF_FILE = 1, CONFIG_OF_GROUP = 2, CONFIG_OF_BOTH = 3,
};
enum { CONFIG_KEYS = 24 };

/* An object of the text that is being read. */
struct config_reader {
    struct config *c;
    struct view    name;      /* of the file, for people */
    struct json    json;      /* of all of it, or of a group's object */
    enum config_scope       scope;
    struct config_settings *out;
    struct fault           *fault;
    int32_t        value[CONFIG_KEYS];  /* nodes; JSON_NONE */
};

/* Reads the keys of node 0, an object, into `out`; the others wait in
 * `value`. */
bool    config_keys(struct config_reader *r);
int32_t config_value(const struct config_reader *r, const char *key);
/* A string; one with escapes is written over by what it stands for, and
 * blanks, so that a second reading finds the same. False without a fault: it
 * is no string. */
bool    config_string(struct config_reader *r, int32_t node,
                      struct view *out);

/* ERROR_CONFIG: "firn.json:3:9: " and a sentence (message_refuse); or one
 * that another made. False, to return at once. */
bool    config_refuse_at(struct config_reader *r, uint32_t at,
                         const char *pattern, const struct view *parts);
bool    config_refuse(struct config_reader *r, int32_t node,
                      const char *pattern, const struct view *parts);
bool    config_refuse_as(struct config_reader *r, int32_t node,
                         const struct fault *other);

#endif
