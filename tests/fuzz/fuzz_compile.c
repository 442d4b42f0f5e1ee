/* The compiler as a function of arbitrary bytes. The first byte picks what is asked for, the rest is the program:
 *   0 C   1 ast   2 graph   3 derivation   4 json   5 C with --reflect   6 C in f32, n fixed   7 JSON messages, -Werror
 * Whatever the bytes are, a compilation ends well: with output, or with messages and no output; never with an internal
 * error. libFuzzer calls LLVMFuzzerTestOneInput, and so does replay.c. */
#include "../../gen/compile.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what, const struct compile_result *result) {
    if (holds)
        return;
    fprintf(stderr, "fuzz_compile: %s; status %d, messages:\n%.*s\n", what, result->status,
            (int)result->messages.length, result->messages.data ? result->messages.data : "");
    abort();
}

static struct compile_options options_of(unsigned choice) {
    static const enum emit_kind kinds[8] = {EMIT_C,    EMIT_AST, EMIT_GRAPH, EMIT_DERIVATION,
                                            EMIT_JSON, EMIT_C,   EMIT_C,     EMIT_C};
    static const char *const fixed[] = {"n=3"};
    struct compile_options options = {
        .source_name = "fuzz.mx", .module = "fuzz", .header_name = "fuzz.h", .spelled = ""};
    options.emit = kinds[choice];
    options.reflect = choice == 5;
    options.real = choice == 6 ? 32 : 0;
    options.fixed = fixed;
    options.fixed_count = choice == 6;
    options.diagnostics = choice == 7 ? DIAGNOSTICS_JSON : DIAGNOSTICS_TEXT;
    options.warnings_are_errors = choice == 7;
    return options;
}

/* A program may include two files; beside them there is none. */
struct shelf {
    size_t given, number[2]; /* how many were; each one's number, or 0 */
};

static bool give_file(void *context, const char *path, const char *from, struct reading_file *file) {
    static const char *const names[] = {"a.mx", "b.mx"},
                             *const texts[] = {
                                 "include \"b.mx\"\ndef layer(X, W, b) { Y = X @ W + b; return act(Y) }\n",
                                 "def act(x) = x * sigmoid(x)\nn: scalar; m = act(n)"};
    struct shelf *shelf = context;
    size_t which = strcmp(path, names[0]) == 0 ? 0 : 1;
    file->complaint = "there is no such file";
    if (!*from || strcmp(path, names[which]) != 0)
        return false;
    if (!shelf->number[which]) {
        shelf->number[which] = ++shelf->given;
        file->text = texts[which];
        file->length = strlen(texts[which]);
    }
    file->name = names[which];
    file->number = shelf->number[which];
    return true;
}

/* Small programs need little memory: that it runs out is a defect here. */
static const char exhausted[] = "mxc: error[E0900]: memory ran out\n";

static void check_result(const struct compile_result *result, const struct compile_options *options) {
    bool done = result->status == MXC_DONE;
    demand(done || result->status == MXC_ERRORS, "a status that no program may have", result);
    demand(done || result->messages.length > 0, "an error without a message", result);
    demand(done || result->main.length + result->header.length == 0, "output beside an error", result);
    demand(!done || (result->header.length > 0) == (options->emit == EMIT_C), "a header goes with C", result);
    bool may_be_empty = options->emit == EMIT_AST || options->emit == EMIT_DERIVATION; /* of nothing */
    demand(!done || result->main.length > 0 || may_be_empty, "no output, and no error", result);
    demand(!result->messages.length || strcmp(result->messages.data, exhausted) != 0, "memory ran out", result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct compile_options options = options_of(size ? data[0] & 7u : 0);
    struct shelf shelf = {0};
    struct reading reading = {give_file, &shelf};
    options.reading = &reading;
    struct compile_result result;
    size_t length = size ? size - 1 : 0;
    char *program = malloc(length ? length : 1); /* of its exact size, so that reading past the end shows */
    if (!program)
        return 0;
    if (length)
        memcpy(program, data + 1, length);
    compile(&result, &options, program, length);
    check_result(&result, &options);
    compile_free(&result);
    free(program);
    return 0;
}
