#include "options.h"

#include "base/cwords.h"

#include "base/diag.h"
#include "base/page.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum option {
    OPTION_OUTPUT,
    OPTION_HEADER,
    OPTION_EMIT,
    OPTION_FIXED,
    OPTION_FOLDER,
    OPTION_REAL,
    OPTION_NAME,
    OPTION_MD,
    OPTION_MF,
    OPTION_MT,
    OPTION_REFLECT,
    OPTION_STATS,
    OPTION_EFFORT,
    OPTION_WALL,
    OPTION_WERROR,
    OPTION_DIAGNOSTICS,
    OPTION_COLOUR,
    OPTION_EXPLAIN,
    OPTION_VERSION,
    OPTION_HELP,
    OPTION_LANGUAGE,
    OPTION_LATER
};

enum value {
    VALUE_NONE,    /* --reflect */
    VALUE_NEXT,    /* -MF PATH */
    VALUE_JOINED,  /* -D n=3 and -Dn=3 */
    VALUE_EQUALS,  /* --name=NAME */
    VALUE_EITHER,  /* --explain CODE, --explain=CODE */
    VALUE_OPTIONAL /* --help, --help=man */
};

struct known {
    const char *spelling;
    enum option option;
    enum value value;
    const char *shown; /* the value's name in messages and help */
    const char *help;  /* NULL: the line above speaks for it */
};

static const struct known known[] = {
    {"-o", OPTION_OUTPUT, VALUE_JOINED, "PATH", "the .c file ('-': standard output); the header goes beside it"},
    {"--header", OPTION_HEADER, VALUE_EQUALS, "PATH", "the header"},
    {"--emit", OPTION_EMIT, VALUE_EQUALS, "KIND",
     "instead of C: ast, graph, derivation or json (to -o, or standard output)"},
    {"-D", OPTION_FIXED, VALUE_JOINED, "n=128", "fixes a dimension"},
    {"-I", OPTION_FOLDER, VALUE_JOINED, "DIR", "where included files may lie, after the folder of who includes them"},
    {"--real", OPTION_REAL, VALUE_EQUALS, "f32|f64", "the element type, whatever the program says"},
    {"--name", OPTION_NAME, VALUE_EQUALS, "NAME", "the module's name (default: the file's, made an identifier)"},
    {"-MD", OPTION_MD, VALUE_NONE, NULL, "also writes a dependency file for make, beside the .c file"},
    {"-MF", OPTION_MF, VALUE_NEXT, "PATH", "the dependency file"},
    {"-MT", OPTION_MT, VALUE_NEXT, "TARGET", "the target it names (default: the files written)"},
    {"--reflect", OPTION_REFLECT, VALUE_NONE, NULL, "adds a table that describes the functions"},
    {"--stats", OPTION_STATS, VALUE_NONE, NULL,
     "also says on standard error what each function costs: flops, bytes moved, memory"},
    {"-O0", OPTION_EFFORT, VALUE_NONE, NULL, "values stored as written, no order searched, nothing joined"},
    {"-O1", OPTION_EFFORT, VALUE_NONE, NULL, "the order of summation searched, elementwise work joined"},
    {"-O2", OPTION_EFFORT, VALUE_NONE, NULL, "and loops joined, products added in place, arrays reused (the default)"},
    {"-Wall", OPTION_WALL, VALUE_NONE, NULL, "all warnings (the default)"},
    {"-Werror", OPTION_WERROR, VALUE_NONE, NULL, "warnings are errors"},
    {"--diagnostics", OPTION_DIAGNOSTICS, VALUE_EQUALS, "text|json", "how messages are written"},
    {"--color", OPTION_COLOUR, VALUE_EQUALS, "auto|always|never", "colour in messages (NO_COLOR is honoured)"},
    {"--explain", OPTION_EXPLAIN, VALUE_EITHER, "CODE", "says at length what an error means, as in --explain E0102"},
    {"--version", OPTION_VERSION, VALUE_NONE, NULL, "the version"},
    {"-h", OPTION_HELP, VALUE_NONE, NULL, NULL},
    {"--help", OPTION_HELP, VALUE_OPTIONAL, "man", "this text, or the man page mxc(1)"},
    {"--help-language", OPTION_LANGUAGE, VALUE_OPTIONAL, "man|json",
     "the manual of the language, each function with its derivative and an example"},
    {"--check", OPTION_LATER, VALUE_OPTIONAL, "SEED", NULL},
    {"--ld", OPTION_LATER, VALUE_NONE, NULL, NULL},
    {"--standalone", OPTION_LATER, VALUE_NONE, NULL, NULL},
    {"--line-directives", OPTION_LATER, VALUE_NONE, NULL, NULL},
};
#define KNOWN (sizeof known / sizeof *known)

/* "-D n=128", "--help[=man]" */
static const char *shown_option(struct arena *arena, const struct known *option) {
    bool optional = option->value == VALUE_OPTIONAL;
    const char *joint = optional ? "[=" : option->value == VALUE_EQUALS ? "=" : option->shown ? " " : "";
    return format_string(arena, "%s%s%s%s%s", option->option == OPTION_HELP ? "-h, " : "", option->spelling, joint,
                         option->shown ? option->shown : "", optional ? "]" : "");
}

static void put_option(const struct page *page, const char *shown, const char *help) {
    if (page->roff) {
        page_item(page, shown);
        page_item_text(page, help);
    } else {
        text_printf(page->out, "  %-26s %s\n", shown, help);
    }
}

static void put_options(const struct page *page) {
    for (size_t i = 0; i < KNOWN; i++)
        if (known[i].help)
            put_option(page, shown_option(page->out->arena, &known[i]), known[i].help);
    put_option(page, "-Wno-NAME", "silences a warning");
}

static const char status[] =
    "Exit status: 0 done, 1 errors in the program, 2 a wrong command line, 3 a file that cannot be read or\n"
    "written, 70 an error of the compiler itself.\n";

static void put_man_page(struct text *text) {
    struct page page = {text, true};
    page_begin(&page, "mxc", "1", "turns matrix calculus into C", "mxc " MXC_VERSION);
    page_heading(&page, "SYNOPSIS");
    page_prose(&page, "mxc [options] file.mx\n");
    page_heading(&page, "DESCRIPTION");
    page_prose(&page,
               "mxc reads a program of formulas and requests for their derivatives, and writes C functions that\n"
               "compute them: file.c and file.h in the current directory. '-' instead of a file reads standard\n"
               "input.\n");
    page_heading(&page, "OPTIONS");
    put_options(&page);
    page_heading(&page, "EXIT STATUS");
    page_prose(&page, status);
    page_heading(&page, "SEE ALSO");
    page_prose(&page, "mxc-language(7)\n");
}

void options_help(struct text *text, enum manual_format format) {
    struct page page = {text, false};
    if (format == MANUAL_MAN) {
        put_man_page(text);
        return;
    }
    text_puts(text,
              "mxc [options] file.mx        turns matrix calculus into C: writes file.c and file.h into the current\n"
              "                             directory; '-' instead of a file reads standard input\n\n");
    put_options(&page);
    text_printf(text, "\n%s", status);
}

/* ---- Reading ------------------------------------------------------------------------------------------------------
 */

struct command {
    struct options *options;
    struct arena *arena;
    struct text *complaint;
    int argc, at;
    char *const *argv;
    bool no_more_options, depends, header_asked;
    const char *name; /* --name */
    VEC(const char *) fixed, silenced;
    const char *colour;
};

static bool complain(struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool complain(struct command *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_puts(c->complaint, "mxc: error: ");
    text_vprintf(c->complaint, format, args);
    text_putc(c->complaint, '\n');
    va_end(args);
    return false;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t identifier_length(const char *s) {
    size_t i = 0;
    while (is_letter(s[i]) || (i > 0 && is_digit(s[i])))
        i++;
    return i;
}

static bool is_one_of(const char *word, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* One of the words of a value such as auto|always|never; complains with the nearest. */
static bool check_choice(struct command *c, const struct known *option, const char *value, const char *const *words,
                         size_t count) {
    if (is_one_of(value, words, count))
        return true;
    const char *nearest = nearest_word(value, words, count);
    if (nearest)
        return complain(c, "'%s' takes %s, not '%s'; did you mean '%s=%s'?", option->spelling, option->shown, value,
                        option->spelling, nearest);
    return complain(c, "'%s' takes %s, not '%s'", option->spelling, option->shown, value);
}

static bool read_emit(struct command *c, const char *value) {
    static const char *const kinds[] = {"c",     "ast",  "graph", "derivation", "json",  "math",
                                        "latex", "html", "dot",   "plan",       "numpy", "selftest"};
    static const enum emit_kind meant[] = {EMIT_C, EMIT_AST, EMIT_GRAPH, EMIT_DERIVATION, EMIT_JSON};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i], value) != 0)
            continue;
        if (i >= sizeof meant / sizeof *meant)
            return complain(c, "not supported yet: --emit=%s", value);
        c->options->compile.emit = meant[i];
        return true;
    }
    const char *nearest = nearest_word(value, kinds, sizeof kinds / sizeof *kinds);
    if (nearest)
        return complain(c, "'--emit' knows no kind '%s'; did you mean '--emit=%s'?", value, nearest);
    return complain(c, "'--emit' knows no kind '%s'; it knows ast, graph, derivation and json", value);
}

/* A dimension fits in a size_t everywhere it is multiplied only if it is far below the end of the type. */
static bool read_fixed(struct command *c, const char *value) {
    size_t name = identifier_length(value), digits = 0;
    if (!name || value[name] != '=')
        return complain(c, "'-D' takes NAME=NUMBER, as in -D n=128, not '%s'", value);
    const char *number = value + name + 1;
    while (is_digit(number[digits]))
        digits++;
    if (!digits || number[digits] || number[0] == '0')
        return complain(c, "'-D' fixes a dimension to a positive integer, not to '%s'", number);
    if (digits > 15)
        return complain(c, "'-D %s': the number is too large for a dimension", value);
    for (size_t i = 0; i < c->fixed.len; i++)
        if (strncmp(c->fixed.at[i], value, name + 1) == 0 && strcmp(c->fixed.at[i], value) != 0)
            return complain(c, "'-D' fixes %.*s twice: %s and %s", (int)name, value, c->fixed.at[i] + name + 1, number);
    vec_push(c->arena, &c->fixed, value);
    return true;
}

static bool read_name(struct command *c, const char *value) {
    if (!*value || value[identifier_length(value)])
        return complain(c, "'--name' takes an identifier, not '%s'", value);
    if (c_word_is_reserved(value))
        return complain(c, "'--name=%s': the word is reserved in C or C++", value);
    if (c_prefix_is_taken(value))
        return complain(c, "'--name=%s': names of the runtime begin so", value);
    c->name = value;
    return true;
}

static bool read_later(struct command *c, const struct known *option) {
    return complain(c, "not supported yet: %s", option->spelling);
}

static bool apply_path(struct command *c, const struct known *option, const char *value) {
    if (!*value)
        return complain(c, "'%s' takes a path, which is empty here", option->spelling);
    if (option->option == OPTION_FOLDER)
        vec_push(c->arena, &c->options->folders, value);
    else if (option->option == OPTION_OUTPUT)
        c->options->output = value;
    else if (option->option == OPTION_HEADER)
        c->options->header = value;
    else
        c->options->dependencies = value;
    c->header_asked |= option->option == OPTION_HEADER;
    c->depends |= option->option == OPTION_MF;
    return true;
}

static bool apply_choice(struct command *c, const struct known *option, const char *value) {
    static const char *const reals[] = {"f32", "f64"}, *const formats[] = {"text", "json", "sarif"},
                             *const colours[] = {"auto", "always", "never"};
    struct compile_options *compile = &c->options->compile;
    switch (option->option) {
    case OPTION_REAL:
        compile->real = strcmp(value, "f32") == 0 ? 32 : 64;
        return check_choice(c, option, value, reals, 2);
    case OPTION_DIAGNOSTICS:
        if (strcmp(value, "sarif") == 0)
            return complain(c, "not supported yet: --diagnostics=sarif");
        compile->diagnostics = strcmp(value, "json") == 0 ? DIAGNOSTICS_JSON : DIAGNOSTICS_TEXT;
        return check_choice(c, option, value, formats, 3);
    default:
        c->colour = value;
        return check_choice(c, option, value, colours, 3);
    }
}

static void set_action(struct command *c, enum action action) {
    if (action > c->options->action)
        c->options->action = action;
}

/* Without a value: text. Only the manual of the language goes to programs. */
static bool read_manual_format(struct command *c, const struct known *option, const char *value) {
    static const char *const formats[] = {[MANUAL_TEXT] = "text", [MANUAL_MAN] = "man", [MANUAL_JSON] = "json"};
    size_t count = option->option == OPTION_HELP ? MANUAL_JSON : MANUAL_JSON + 1;
    if (value && !check_choice(c, option, value, formats, count))
        return false;
    c->options->help = MANUAL_TEXT;
    for (size_t i = 0; value && i < count; i++)
        if (strcmp(value, formats[i]) == 0)
            c->options->help = (enum manual_format)i;
    return true;
}

static bool apply(struct command *c, const struct known *option, const char *value) {
    switch (option->option) {
    case OPTION_OUTPUT:
    case OPTION_FOLDER:
    case OPTION_HEADER:
    case OPTION_MF:
        return apply_path(c, option, value);
    case OPTION_REAL:
    case OPTION_DIAGNOSTICS:
    case OPTION_COLOUR:
        return apply_choice(c, option, value);
    case OPTION_EMIT:
        return read_emit(c, value);
    case OPTION_FIXED:
        return read_fixed(c, value);
    case OPTION_NAME:
        return read_name(c, value);
    case OPTION_LATER:
        return read_later(c, option);
    case OPTION_MD:
        c->depends = true;
        return true;
    case OPTION_MT:
        c->depends = true;
        vec_push(c->arena, &c->options->targets, value);
        return true;
    case OPTION_REFLECT:
        c->options->compile.reflect = true;
        return true;
    case OPTION_STATS:
        c->options->compile.statistics = true;
        return true;
    case OPTION_EFFORT:
        c->options->compile.effort = option->spelling[2] - '0';
        return true;
    case OPTION_WALL:
        return true;
    case OPTION_WERROR:
        c->options->compile.warnings_are_errors = true;
        return true;
    case OPTION_EXPLAIN:
        c->options->explain = value;
        set_action(c, ACTION_EXPLAIN);
        return true;
    case OPTION_VERSION:
        set_action(c, ACTION_VERSION);
        return true;
    case OPTION_HELP:
        set_action(c, ACTION_HELP);
        return read_manual_format(c, option, value);
    case OPTION_LANGUAGE:
        set_action(c, ACTION_LANGUAGE);
        return read_manual_format(c, option, value);
    }
    return true;
}

static const struct {
    enum diag_level level;
    const char *name;
} messages[] = {
#define DIAG(code, level, name, format, explanation) {level, name},
#include "base/diag.def"
#undef DIAG
};

static bool read_silenced(struct command *c, const char *name) {
    const char *names[DIAG_CODES];
    size_t count = 0;
    for (size_t i = 0; i < DIAG_CODES; i++)
        if (messages[i].level == DIAG_WARNING)
            names[count++] = messages[i].name;
    if (compile_knows_warning(name)) {
        vec_push(c->arena, &c->silenced, name);
        return true;
    }
    const char *nearest = nearest_word(name, names, count);
    if (nearest)
        return complain(c, "no warning is called '%s'; did you mean '-Wno-%s'?", name, nearest);
    return complain(c, "no warning is called '%s'", name);
}

static bool unknown(struct command *c, const char *word) {
    const char *names[KNOWN], *equals = strchr(word, '=');
    for (size_t i = 0; i < KNOWN; i++)
        names[i] = known[i].spelling;
    const char *bare = equals ? format_string(c->arena, "%.*s", (int)(equals - word), word) : word;
    const char *nearest = nearest_word(bare, names, KNOWN);
    if (nearest)
        return complain(c, "unknown option '%s'; did you mean '%s%s'?", word, nearest, equals ? equals : "");
    return complain(c, "unknown option '%s' (mxc --help lists the options)", word);
}

/* The option that a word is, and its value if that is in the word. */
static const struct known *find(const char *word, const char **value) {
    for (size_t i = 0; i < KNOWN; i++) {
        const struct known *option = &known[i];
        size_t length = strlen(option->spelling);
        *value = NULL;
        if (strcmp(word, option->spelling) == 0)
            return option;
        bool same = strncmp(word, option->spelling, length) == 0;
        *value = word + length + (option->value != VALUE_JOINED);
        if (same && (option->value == VALUE_JOINED || (word[length] == '=' && option->value >= VALUE_EQUALS)))
            return option;
    }
    return NULL;
}

static bool read_option(struct command *c, const char *word) {
    if (strncmp(word, "-Wno-", 5) == 0 && word[5])
        return read_silenced(c, word + 5);
    const char *value;
    const struct known *option = find(word, &value);
    if (!option)
        return unknown(c, word);
    if (option->option == OPTION_LATER || value || option->value == VALUE_NONE || option->value == VALUE_OPTIONAL)
        return apply(c, option, value);
    const char *joint = option->value == VALUE_EQUALS ? "=" : " ";
    if (option->value == VALUE_EQUALS || c->at == c->argc)
        return complain(c, "'%s' needs a value: %s%s%s", word, word, joint, option->shown);
    return apply(c, option, c->argv[c->at++]);
}

static bool read_word(struct command *c, const char *word) {
    if (!c->no_more_options && strcmp(word, "--") == 0) {
        c->no_more_options = true;
        return true;
    }
    if (!c->no_more_options && word[0] == '-' && word[1])
        return read_option(c, word);
    if (c->options->input)
        return complain(c, "one program at a time: '%s' and '%s'", c->options->input, word);
    c->options->input = word;
    return true;
}

/* ---- What follows from what was said ------------------------------------------------------------------------------
 */

/* The path without the end, if it ends so. */
static const char *without(struct arena *arena, const char *path, const char *end) {
    size_t length = strlen(path), tail = strlen(end);
    bool has = length > tail && strcmp(path + length - tail, end) == 0 && path[length - tail - 1] != '/';
    return arena_string(arena, path, has ? length - tail : length);
}

static const char *module_name(struct arena *arena, const char *stem) {
    struct text name = text_new(arena);
    if (c_prefix_is_taken(stem))
        text_putc(&name, 'x');
    if (is_digit(*stem) || !*stem)
        text_putc(&name, '_');
    for (; *stem; stem++)
        text_putc(&name, is_letter(*stem) || is_digit(*stem) ? *stem : '_');
    if (c_word_is_reserved(text_string(&name)))
        text_putc(&name, '_');
    return text_string(&name);
}

const char *make_spelling(struct arena *arena, const char *path) {
    struct text text = text_new(arena);
    size_t backslashes = 0; /* just before this character: make halves them where they stand before a quoted one */
    for (; *path; path++) {
        if (*path == ' ' || *path == '\t' || *path == '#') {
            text_repeat(&text, '\\', backslashes + 1);
        } else if (*path == '$') {
            text_putc(&text, '$');
        }
        text_putc(&text, *path);
        backslashes = *path == '\\' ? backslashes + 1 : 0;
    }
    return text_string(&text);
}

/* The options that shape the output, as the generated file's first comment repeats them. */
static const char *spelled(struct command *c) {
    struct text text = text_new(c->arena);
    const struct compile_options *compile = &c->options->compile;
    for (size_t i = 0; i < c->fixed.len; i++)
        text_printf(&text, " -D %s", c->fixed.at[i]);
    if (compile->real)
        text_printf(&text, " --real=f%d", compile->real);
    if (c->name)
        text_printf(&text, " --name=%s", c->name);
    if (compile->reflect)
        text_puts(&text, " --reflect");
    if (compile->effort != EFFORT_MOST)
        text_printf(&text, " -O%d", compile->effort);
    const char *all = text_string(&text);
    return *all ? all + 1 : all;
}

/* Standard output, a device or a pipe: nothing can lie beside it. */
static bool is_stream(const char *path) {
    struct stat about;
    return strcmp(path, "-") == 0 || (stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode));
}

static bool choose_outputs(struct command *c, const char *stem) {
    struct options *o = c->options;
    bool code = o->compile.emit == EMIT_C;
    if (o->compile.statistics && o->compile.emit == EMIT_AST)
        return complain(c, "'--stats' goes with what is planned, not with '--emit=ast'");
    if (c->header_asked && !code)
        return complain(c, "'--header' goes with C, not with '--emit'");
    if (c->header_asked && strcmp(o->header, "-") == 0)
        return complain(c, "'--header' takes a path; only '-o' may be '-'");
    if (!o->output)
        o->output = code ? format_string(c->arena, "%s.c", stem) : "-";
    bool piped = is_stream(o->output);
    const char *side = piped ? stem : without(c->arena, o->output, ".c");
    if (code && !piped && !o->header)
        o->header = format_string(c->arena, "%s.h", side);
    const char *header = base_name(o->header ? o->header : format_string(c->arena, "%s.h", side));
    if (code && strpbrk(header, "\"\\\n\r"))
        return complain(c, "the header's name '%s' cannot stand in an #include", header);
    o->compile.header_name = header;
    if (c->depends && !o->dependencies)
        o->dependencies = format_string(c->arena, "%s.d", side);
    return true;
}

static void choose_targets(struct command *c, const char *stem) {
    struct options *o = c->options;
    if (o->targets.len)
        return;
    bool piped = is_stream(o->output);
    const char *output = piped ? format_string(c->arena, "%s.c", stem) : o->output;
    vec_push(c->arena, &o->targets, make_spelling(c->arena, output));
    if (o->header)
        vec_push(c->arena, &o->targets, make_spelling(c->arena, o->header));
}

static void choose_colour(struct command *c) {
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool automatic = isatty(STDERR_FILENO) && !(none && *none) && terminal && strcmp(terminal, "dumb") != 0;
    c->options->compile.colour =
        c->colour && strcmp(c->colour, "auto") != 0 ? strcmp(c->colour, "always") == 0 : automatic;
}

static bool complete(struct command *c) {
    struct options *o = c->options;
    if (o->action != ACTION_COMPILE)
        return true;
    if (!o->input)
        return complain(c, "no program is given (mxc --help lists the options)");
    bool standard = strcmp(o->input, "-") == 0;
    const char *stem = standard ? "stdin" : without(c->arena, base_name(o->input), ".mx");
    o->compile.source_name = standard ? "<stdin>" : o->input;
    o->compile.module = c->name ? c->name : module_name(c->arena, stem);
    o->compile.spelled = spelled(c);
    o->compile.fixed = c->fixed.at;
    o->compile.fixed_count = c->fixed.len;
    o->compile.silenced = c->silenced.at;
    o->compile.silenced_count = c->silenced.len;
    choose_colour(c);
    if (!choose_outputs(c, stem))
        return false;
    choose_targets(c, stem);
    return true;
}

bool options_read(struct options *options, struct arena *arena, int argc, char *const *argv, struct text *complaint) {
    *options = (struct options){.action = ACTION_COMPILE, .compile.effort = EFFORT_MOST};
    struct command command = {
        .options = options, .arena = arena, .complaint = complaint, .argc = argc, .at = 1, .argv = argv};
    while (command.at < argc)
        if (!read_word(&command, argv[command.at++]))
            return false;
    return complete(&command);
}
