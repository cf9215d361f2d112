/* pages.c - the manual page and the completions, from the tables of options.h.
 *
 *     pages man VERSION | bash | zsh | fish
 *
 * Made for the machine that builds, and linked with core/task/manual.c, so
 * that what --help says is said once. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "task/manual.h"

static bool knows(uint32_t command, const struct option_row *row)
{
    return (row->commands >> command & 1) != 0;
}

/* Which of them is a file, by the word that stands for its value. */
static bool is_file(const struct option_row *row)
{
    return row->value != NULL && strcmp(row->value, "FILE") == 0;
}

static bool is_choice(const struct option_row *row)
{
    return row->kind == OPTION_CHOICE;
}

/* The words of "a|b", with something between. */
static void put_choices(const struct option_row *row, const char *between)
{
    for (const char *c = row->value; *c != '\0'; c++)
        if (*c == '|')
            fputs(between, stdout);
        else
            putchar(*c);
}

/* --- the manual page ------------------------------------------------------ */

/* One line of roff's input, nothing of which is a request or an escape. */
static void put_roff(const char *line, size_t len)
{
    if (len > 0 && (line[0] == '.' || line[0] == '\''))
        fputs("\\&", stdout);
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\\')
            fputs("\\e", stdout);
        else if (line[i] == '-')
            fputs("\\-", stdout);
        else if (line[i] == '\'')
            fputs("\\(aq", stdout);
        else if (line[i] == '"')
            fputs("\\(dq", stdout);
        else
            putchar(line[i]);
}

static void put_words(const char *words)
{
    put_roff(words, strlen(words));
}

/* Paragraphs are filled, but those that are set in by hand. */
static void put_paragraphs(const char *text)
{
    bool begins = true, by_hand = false;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (len == 0) {
            fputs(by_hand ? ".fi\n" : "", stdout);
            puts(".PP");
            by_hand = false;
        } else {
            if (begins && text[0] == ' ') {
                puts(".nf");
                by_hand = true;
            }
            put_roff(text, len);
            putchar('\n');
        }
        begins = len == 0;
        text += len + (text[len] != '\0');
    }
    fputs(by_hand ? ".fi\n" : "", stdout);
}

static void put_as_it_is(const char *text)
{
    puts(".PP\n.nf");
    for (const char *end; *text != '\0'; text = end + (*end != '\0')) {
        end = text + strcspn(text, "\n");
        put_roff(text, (size_t)(end - text));
        putchar('\n');
    }
    puts(".fi");
}

static void put_man_command(const struct command_row *row)
{
    printf(".SS firn %s\n", row->name);
    puts(".PP");
    printf(".B firn %s\n", row->name);
    put_words(row->args);
    puts(row->args[0] != '\0' ? "" : "\\&");
    puts("[\\fIFLAGS\\fR]\n.PP");
    put_paragraphs(row->about);
    puts(".PP\n.B Examples");
    put_as_it_is(row->examples);
    puts(".PP\n.B Exit codes");
    put_as_it_is(row->exits);
}

static void put_man_option(const struct option_row *row)
{
    const char *between = "(";
    fputs(".TP\n\\fB", stdout);
    put_words(row->name);
    fputs("\\fR", stdout);
    if (row->value != NULL) {
        fputs(" \\fI", stdout);
        put_words(row->value);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    put_paragraphs(row->help);
    for (uint32_t c = 0; c < COMMAND_COUNT; c++)
        if (knows(c, row)) {
            printf("%s%s", between, command_rows[c].name);
            between = ", ";
        }
    puts(")");
}

/* What --help of firn itself says of exit codes, at its end. */
static void put_exit_codes(void)
{
    static const char mark[] = "\nExit codes\n";
    static char words[MANUAL_BYTES + 1];
    struct text t;
    text_init(&t, words, MANUAL_BYTES);
    manual_write(&t, COMMAND_NONE);
    words[t.len] = '\0';
    put_as_it_is(strstr(words, mark) + sizeof mark - 1);
}

static int write_man(const char *version)
{
    printf(".TH FIRN 1 \"\" \"firn %s\" \"User Commands\"\n", version);
    puts(".nh\n.ad l\n.SH NAME");
    puts("firn \\- a day of CloudWatch Logs becomes one S3 object, in constant "
         "memory");
    puts(".SH SYNOPSIS\n.B firn\n\\fICOMMAND\\fR [\\fIFLAGS\\fR]");
    puts(".SH COMMANDS");
    for (uint32_t c = 0; c < COMMAND_COUNT; c++)
        put_man_command(&command_rows[c]);
    puts(".SH OPTIONS\nBehind each, the commands that know it.");
    for (uint32_t i = 0; i < option_row_count; i++)
        put_man_option(&option_rows[i]);
    puts(".SH EXIT STATUS");
    put_exit_codes();
    puts(".SH ENVIRONMENT\nCredentials and region come from where the AWS CLI "
         "finds them: the environment, shared files and profiles, the "
         "container, the instance.");
    return 0;
}

/* --- completions ---------------------------------------------------------- */

/* What it is for, in a line: to the end of the first sentence, without what
 * the shell that reads it would take for its own. */
static void put_purpose(const char *help)
{
    for (const char *c = help; *c != '\0'; c++) {
        if (strchr(".;", *c) != NULL && (c[1] == ' ' || c[1] == '\n'))
            break;
        if (strchr("'\"[]:\\$`", *c) == NULL)
            putchar(*c == '\n' ? ' ' : *c);
    }
}

static int write_bash(void)
{
    puts("# bash completion of firn; made from its own tables.\n"
         "_firn()\n{\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} i command= flags\n"
         "    local prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "    COMPREPLY=()\n"
         "    if [[ $cur == = ]]; then\n"
         "        cur=\n"
         "    elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then\n"
         "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
         "    fi\n"
         "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "        case ${COMP_WORDS[i]} in");
    fputs("        ", stdout);
    for (uint32_t c = 0; c < COMMAND_COUNT; c++)
        printf("%s%s", c > 0 ? "|" : "", command_rows[c].name);
    puts(") command=${COMP_WORDS[i]}; break ;;\n        esac\n    done\n"
         "    case $prev in");
    for (uint32_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        if (is_file(row)) {
            printf("    %s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n",
                   row->name);
        } else if (is_choice(row)) {
            printf("    %s) COMPREPLY=($(compgen -W \"", row->name);
            put_choices(row, " ");
            puts("\" -- \"$cur\")); return ;;");
        } else if (row->value != NULL) {
            printf("    %s) return ;;\n", row->name);
        }
    }
    puts("    esac\n    case $command in");
    for (uint32_t c = 0; c < COMMAND_COUNT; c++) {
        printf("    %s) flags=\"", command_rows[c].name);
        const char *between = "";
        for (uint32_t i = 0; i < option_row_count; i++)
            if (knows(c, &option_rows[i])) {
                printf("%s%s", between, option_rows[i].name);
                between = "\n        ";
            }
        puts("\" ;;");
    }
    fputs("    *) flags=\"--help --version", stdout);
    for (uint32_t c = 0; c < COMMAND_COUNT; c++)
        printf(" %s", command_rows[c].name);
    puts("\" ;;\n    esac\n"
         "    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n}\n"
         "complete -F _firn firn");
    return 0;
}

static void put_zsh_option(const struct option_row *row)
{
    printf("            '%s[", row->name);
    put_purpose(row->help);
    putchar(']');
    if (row->value != NULL && is_choice(row)) {
        fputs(":value:(", stdout);
        put_choices(row, " ");
        putchar(')');
    } else if (row->value != NULL) {
        printf(":%s:%s", is_file(row) ? "file" : "value",
               is_file(row) ? "_files" : "");
    }
    puts("' \\");
}

static int write_zsh(void)
{
    puts("#compdef firn\n# zsh completion of firn; made from its own tables.\n"
         "_firn() {\n    local line state\n    local -a commands=(");
    for (uint32_t c = 0; c < COMMAND_COUNT; c++) {
        printf("        '%s:", command_rows[c].name);
        put_purpose(command_rows[c].summary);
        puts("'");
    }
    puts("    )\n    _arguments -C '1: :->command' '*:: :->flags'\n"
         "    case $state in\n"
         "    command) _describe command commands ;;\n"
         "    flags)\n        case $line[1] in");
    for (uint32_t c = 0; c < COMMAND_COUNT; c++) {
        printf("        %s) _arguments \\\n", command_rows[c].name);
        for (uint32_t i = 0; i < option_row_count; i++)
            if (knows(c, &option_rows[i]))
                put_zsh_option(&option_rows[i]);
        puts("            '*:object:' ;;");
    }
    puts("        esac ;;\n    esac\n}\n"
         "if [ \"$funcstack[1]\" = _firn ]; then\n    _firn \"$@\"\n"
         "else\n    compdef _firn firn\nfi");
    return 0;
}

static void put_fish_option(const struct option_row *row)
{
    fputs("complete -c firn -n '__fish_seen_subcommand_from", stdout);
    for (uint32_t c = 0; c < COMMAND_COUNT; c++)
        if (knows(c, row))
            printf(" %s", command_rows[c].name);
    printf("' -l %s", row->name + 2);
    if (is_choice(row)) {
        fputs(" -x -a '", stdout);
        put_choices(row, " ");
        putchar('\'');
    } else if (row->value != NULL) {
        fputs(is_file(row) ? " -r -F" : " -x", stdout);
    }
    fputs(" -d '", stdout);
    put_purpose(row->help);
    puts("'");
}

static int write_fish(void)
{
    puts("# fish completion of firn; made from its own tables.\n"
         "complete -c firn -f");
    for (uint32_t c = 0; c < COMMAND_COUNT; c++) {
        printf("complete -c firn -n __fish_use_subcommand -a %s -d '",
               command_rows[c].name);
        put_purpose(command_rows[c].summary);
        puts("'");
    }
    for (uint32_t i = 0; i < option_row_count; i++)
        put_fish_option(&option_rows[i]);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (argc == 3 && strcmp(what, "man") == 0)
        return write_man(argv[2]);
    if (argc == 2 && strcmp(what, "bash") == 0)
        return write_bash();
    if (argc == 2 && strcmp(what, "zsh") == 0)
        return write_zsh();
    if (argc == 2 && strcmp(what, "fish") == 0)
        return write_fish();
    fputs("pages: man VERSION, bash, zsh or fish\n", stderr);
    return 64;
}
