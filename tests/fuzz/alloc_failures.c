/* Compiles a few programs again and again, each time with another allocation failing, until one compilation needs fewer
 * allocations than that. Built with MX_ARENA_EACH, so that every object is an allocation of its own, with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc, and with a sanitizer that sees leaks and bad accesses. Every
 * compilation must end in the message that memory ran out, and the next one in the same process must be as good as
 * ever. */
#include "../../gen/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define STEPS 400 /* failures tried for each program and kind, spread over all its allocations; the first ones all */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);

static unsigned long allocations, failing; /* failing: the number of the one that fails; 0: none does */

static int fails(void) {
    return ++allocations == failing;
}

void *__wrap_malloc(size_t bytes) {
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *block, size_t bytes) {
    return fails() ? NULL : __real_realloc(block, bytes);
}

static const struct program {
    const char *name, *text;
    int status;
    enum emit_kind emit;
} programs[] = {
    {"affine", "A = Z @ W + b; grad L wrt W, Z, b\n", MXC_DONE, EMIT_C},
    {"affine, json", "A = Z @ W + b; grad L wrt W, Z, b\n", MXC_DONE, EMIT_JSON},
    {"affine, derivation", "A = Z @ W + b; grad L wrt W, Z, b\n", MXC_DONE, EMIT_DERIVATION},
    {"affine, graph", "A = Z @ W + b; grad L wrt W, Z, b\n", MXC_DONE, EMIT_GRAPH},
    {"tree", "dim n = 2; x: [n, m*n]; y = sum(x', axis=0) # a comment\n", MXC_DONE, EMIT_AST},
    {"logistic", "X: [m, n]\ny: [m]\nf = sum(softplus(-y * (X @ w))) / m + 0.5 * norm(w)\ngrad f wrt w, X\n", MXC_DONE,
     EMIT_C},
    {"softmax", "Y = softmax(Q @ K' / sqrt(n), axis=1) @ V; Q: [m, n]; grad L wrt Q, K, V\n", MXC_DONE, EMIT_C},
    {"functions",
     "def act(x) = x * sigmoid(x)\ndef layer(X, W) { Y = X @ W; return act(Y) }\n"
     "A = layer(layer(Z, V), W); grad L wrt V\n",
     MXC_DONE, EMIT_C},
    {"wrong functions", "def f(x) = g(x, x) + foo(x)\ndef g(x) = f(x)\nA = f(B) + f\n", MXC_ERRORS, EMIT_C},
    {"no file", "include \"a.mx\"\nA = B\n", MXC_ERRORS, EMIT_C},
    {"warnings", "A: [n, n]\nB = A^2\nf = sum(B)\ngrad f wrt A, x\nx: [n]\n", MXC_DONE, EMIT_C},
    {"shapes", "W: [k, n]\nZ: [m, k]\nA = W @ Z\nB = Z + W\nC = dot(Z, W)\n", MXC_ERRORS, EMIT_C},
    {"syntax", "A = (Z @ W\nB = 1 + * 2\nC = [A, B; \x01\ngrad A wrt\n", MXC_ERRORS, EMIT_AST},
    {"names", "y = sigmod(x)\nx = y + n\nX: [n, n / 2]\ngrad y wrt q\noutput zz\n", MXC_ERRORS, EMIT_C},
};

static int complain(const struct program *program, unsigned long at, const char *what,
                    const struct compile_result *result) {
    printf("%s, allocation %lu of a run fails: %s; status %d, messages: %s\n", program->name, at, what, result->status,
           result->messages.data ? result->messages.data : "");
    return 1;
}

static void run(struct compile_result *result, const struct program *program, unsigned long fail_at) {
    struct compile_options options = {
        .source_name = "p.mx", .module = "p", .header_name = "p.h", .spelled = "", .emit = program->emit};
    allocations = 0;
    failing = fail_at;
    compile(result, &options, program->text, strlen(program->text));
    failing = 0;
}

static int same(struct compile_text a, struct compile_text b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* The next compilation after one that failed. */
static int check_next(const struct program *program, unsigned long at, const struct compile_result *good) {
    struct compile_result next;
    run(&next, program, 0);
    int bad = next.status != good->status || !same(next.main, good->main) || !same(next.messages, good->messages);
    if (bad)
        complain(program, at, "the next compilation is another", &next);
    compile_free(&next);
    return bad;
}

static int check_failure(const struct program *program, unsigned long at) {
    static const char expected[] = "mxc: error[E0900]: memory ran out\n";
    struct compile_result result;
    int bad = 0;
    run(&result, program, at);
    if (result.status != MXC_ERRORS || result.messages.length != sizeof expected - 1 ||
        memcmp(result.messages.data, expected, sizeof expected - 1) != 0)
        bad = complain(program, at, "not the message that memory ran out", &result);
    if (result.main.length + result.header.length > 0)
        bad = complain(program, at, "output beside an error", &result);
    compile_free(&result);
    return bad;
}

static int check_program(const struct program *program) {
    struct compile_result good;
    run(&good, program, 0);
    unsigned long needed = allocations, tried = 0, step = needed / STEPS + 1;
    int bad = good.status != program->status ? complain(program, 0, "another status than expected", &good) : 0;
    for (unsigned long at = 1; at <= needed && bad < 5; at += at < STEPS / 2 ? 1 : step, tried++) {
        bad += check_failure(program, at);
        if (tried % 16 == 0)
            bad += check_next(program, at, &good);
    }
    bad += check_next(program, needed, &good);
    printf("%s: %lu allocations, %lu failures tried\n", program->name, needed, tried);
    compile_free(&good);
    return bad;
}

int main(void) {
    int bad = 0;
    for (size_t i = 0; i < COUNT(programs); i++)
        bad += check_program(&programs[i]);
    return bad != 0;
}
