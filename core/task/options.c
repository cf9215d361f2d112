/* options.c - see options.h. */
#include "task/options.h"

#include "base/check.h"
#include "base/nearest.h"
#include "task/message.h"

#define VIEWS(...) ((const struct view[]){__VA_ARGS__})

static const struct option_row *find_row(struct view name)
{
    for (uint32_t i = 0; i < option_row_count; i++)
        if (view_is(name, option_rows[i].name))
            return &option_rows[i];
    return NULL;
}

static bool knows(enum command command, const struct option_row *row)
{
    return command == COMMAND_NONE || (row->commands >> command & 1) != 0;
}

static bool unknown_flag(enum command command, struct view name,
                         struct fault *fault)
{
    struct nearest n;
    nearest_init(&n, name);
    for (uint32_t i = 0; i < option_row_count; i++)
        if (knows(command, &option_rows[i]))
            nearest_offer(&n, option_rows[i].name, option_rows[i].name);
    const char *of = command == COMMAND_NONE ? NULL
                                             : command_rows[command].name;
    struct view parts[] = {name, view_of(of), view_of(n.best)};
    if (of == NULL) {
        parts[1] = view_of(n.best);
        return message_refuse(fault, ERROR_USAGE, n.best != NULL
                              ? "no flag \"%\"; nearest: %"
                              : "no flag \"%\"; firn --help lists them",
                              parts);
    }
    if (n.best != NULL)
        return message_refuse(fault, ERROR_USAGE, "no flag \"%\" for firn %; "
                              "nearest: %", parts);
    parts[2] = view_of(of);
    return message_refuse(fault, ERROR_USAGE, "no flag \"%\" for firn %; "
                          "firn % --help lists them", parts);
}

static bool unknown_command(struct view name, struct fault *fault)
{
    struct nearest n;
    nearest_init(&n, name);
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        nearest_offer(&n, command_rows[i].name, command_rows[i].name);
    return message_refuse(fault, ERROR_USAGE, n.best != NULL
                          ? "no command \"%\"; nearest: firn %"
                          : "no command \"%\"; firn --help lists them",
                          VIEWS(name, view_of(n.best)));
}

/* The place of v among "a|b|c". */
static bool choice(struct view words, struct view v, uint32_t *index)
{
    for (*index = 0; words.len > 0; ++*index)
        if (view_equal(view_split(&words, '|'), v))
            return true;
    return false;
}

/* "+ingested,+id", in any order. */
static bool fields(struct spec *spec, struct view v)
{
    while (v.len > 0) {
        struct view word = view_split(&v, ',');
        if (view_is(word, "+ingested"))
            spec->field_ingested = true;
        else if (view_is(word, "+id"))
            spec->field_id = true;
        else
            return false;
    }
    return true;
}

static bool bad_value(const struct option_row *row, struct view v,
                      struct fault *fault)
{
    char least[24], most[24];
    struct text l, m;
    text_init(&l, least, sizeof least);
    text_u64(&l, row->least);
    text_init(&m, most, sizeof most);
    text_u64(&m, row->most);
    struct view name = view_of(row->name);
    if (row->kind == OPTION_NUMBER)
        return message_refuse(fault, ERROR_USAGE, "% takes a whole number "
                              "from % to %, not \"%\"",
                              VIEWS(name, text_view(&l), text_view(&m), v));
    if (row->kind == OPTION_COPY)
        return message_refuse(fault, ERROR_USAGE, "the value of % is longer "
                              "than % bytes", VIEWS(name, text_view(&m)));
    return message_refuse(fault, ERROR_USAGE, "% takes %, not \"%\"",
                          VIEWS(name, view_of(row->value), v));
}

static bool set_value(struct options *o, const struct option_row *row,
                      const char *value, struct fault *fault)
{
    uint8_t *field = (uint8_t *)o + row->at;
    struct view v = view_of(value);
    uint64_t number = 0;
    uint32_t index = 0;
    bool ok = true;
    if (v.len == 0)
        return message_refuse(fault, ERROR_USAGE, "the value of % is empty",
                              VIEWS(view_of(row->name)));
    for (uint32_t i = 0; i < v.len; i++)
        if (v.at[i] < 0x20 || v.at[i] == 0x7f)
            return message_refuse(fault, ERROR_USAGE, "the value of % has a "
                                  "control character in it: \"%\"",
                                  VIEWS(view_of(row->name), v));
    switch (row->kind) {
    case OPTION_FLAG:
        memcpy(field, &ok, sizeof ok);
        break;
    case OPTION_STRING:
        memcpy(field, &value, sizeof value);
        break;
    case OPTION_COPY:
        ok = view_copy(v, (char *)field, row->most);
        break;
    case OPTION_NUMBER:
        ok = view_u64(v, row->most, &number) && number >= row->least;
        index = (uint32_t)number;
        break;
    case OPTION_CHOICE:
        ok = choice(view_of(row->value), v, &index);
        break;
    case OPTION_FIELDS:
        ok = fields(&o->spec, v);
        break;
    }
    if (ok && (row->kind == OPTION_NUMBER || row->kind == OPTION_CHOICE))
        memcpy(field, &index, sizeof index);
    if (!ok)
        return bad_value(row, v, fault);
    return true;
}

/* Takes a flag, and the next argument if that is its value. */
static bool take_flag(struct options *o, char **argv, int *i, int argc,
                      struct fault *fault)
{
    struct view arg = view_of(argv[*i]);
    uint32_t equals = view_find(arg, '=');
    struct view name = view_slice(arg, 0, equals);
    if (view_is(name, "-h"))
        name = view_of("--help");
    const struct option_row *row = find_row(name);
    if (row == NULL)
        return unknown_flag(o->command, name, fault);
    o->given |= 1ull << (row - option_rows);
    if (row->value == NULL) {
        if (equals < arg.len)
            return message_refuse(fault, ERROR_USAGE, "% takes no value",
                                  VIEWS(name));
        return set_value(o, row, "true", fault);
    }
    if (equals < arg.len)
        return set_value(o, row, argv[*i] + equals + 1, fault);
    if (*i + 1 >= argc || view_starts(view_of(argv[*i + 1]), "--"))
        return message_refuse(fault, ERROR_USAGE, "% needs a value: % %",
                              VIEWS(name, name, view_of(row->value)));
    ++*i;
    return set_value(o, row, argv[*i], fault);
}

static void set_defaults(struct options *o, char **argv)
{
    *o = (struct options){
        .command = COMMAND_NONE, .give_up_s = 300, .count = 10, .args = argv,
        .when.age = PLAN_NO_AGE,
    };
    view_copy(view_of("UTC"), o->spec.timezone, sizeof o->spec.timezone);
}

static bool take_command(struct options *o, struct view name,
                         struct fault *fault)
{
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        if (view_is(name, command_rows[i].name)) {
            o->command = (enum command)i;
            return true;
        }
    return unknown_command(name, fault);
}

static bool fits_command(const struct options *o, struct fault *fault)
{
    const struct command_row *row = &command_rows[o->command];
    for (uint32_t i = 0; i < option_row_count; i++)
        if ((o->given >> i & 1) != 0 && !knows(o->command, &option_rows[i]))
            return unknown_flag(o->command, view_of(option_rows[i].name),
                                fault);
    if (o->help || o->version)
        return true;
    if (o->arg_count > row->arg_most)
        return message_refuse(fault, ERROR_USAGE, "firn % has no use for "
                              "\"%\"; firn % --help",
                              VIEWS(view_of(row->name),
                                    view_of(o->args[row->arg_most]),
                                    view_of(row->name)));
    if (o->arg_count < row->arg_least)
        return message_refuse(fault, ERROR_USAGE, "firn % needs %",
                              VIEWS(view_of(row->name), view_of(row->args)));
    return true;
}

bool options_parse(struct options *o, int argc, char **argv,
                   struct fault *fault)
{
    bool flags = true;
    set_defaults(o, argv);
    for (int i = 1; i < argc; i++) {
        bool ok = true;
        if (flags && strcmp(argv[i], "--") == 0)
            flags = false;
        else if (flags && argv[i][0] == '-' && argv[i][1] != '\0')
            ok = take_flag(o, argv, &i, argc, fault);
        else if (o->command == COMMAND_NONE)
            ok = take_command(o, view_of(argv[i]), fault);
        else
            o->args[o->arg_count++] = argv[i];
        if (!ok)
            return false;
    }
    if (o->command != COMMAND_NONE)
        return fits_command(o, fault);
    if (o->help || o->version)
        return true;
    return message_refuse(fault, ERROR_USAGE, "firn needs a command; firn "
                          "--help lists them", NULL);
}

bool options_given(const struct options *o, const char *name)
{
    const struct option_row *row = find_row(view_of(name));
    CHECK(row != NULL);
    return (o->given >> (row - option_rows) & 1) != 0;
}
