/* Runs the fuzz target without libFuzzer, over files and over a fixed number of mutations of them:
 *
 *   replay MUTATIONS FOUND FILE…
 *
 * The mutations depend on nothing but the files. An input that ends the process (a sanitizer, a demand of
 * fuzz_compile.c, ten seconds) is in the file FOUND afterwards. */
#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECONDS 10
#define LONGEST 4096

struct input {
    uint8_t data[LONGEST];
    size_t size;
};

static struct input current;
static const char *found;
static uint64_t state = 88172645463325252u;

/* xorshift64: the same numbers everywhere. */
static size_t below(size_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return limit ? (size_t)(state % limit) : 0;
}

static void keep_current(void) {
    FILE *file = fopen(found, "wb");
    if (file) {
        fwrite(current.data, 1, current.size, file);
        fclose(file);
    }
}

static void stop(int signal) {
    fprintf(stderr, "replay: signal %d%s\n", signal, signal == SIGALRM ? ": it takes too long" : "");
    keep_current();
    _exit(1);
}

static void try_current(void) {
    alarm(SECONDS);
    LLVMFuzzerTestOneInput(current.data, current.size);
    alarm(0);
}

static void read_input(struct input *input, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    input->size = fread(input->data, 1, LONGEST, file);
    fclose(file);
}

/* ---- Mutations ----------------------------------------------------------------------------------------------------
 */

/* What the language is made of, and what it is not. */
static const char *const pieces[] = {"'",
                                     "@",
                                     "^",
                                     "^2",
                                     "(",
                                     ")",
                                     "[",
                                     "]",
                                     "{",
                                     "}",
                                     ",",
                                     ";",
                                     "\n",
                                     "=",
                                     ":",
                                     "-",
                                     "1",
                                     "0",
                                     "n",
                                     "m",
                                     "x",
                                     "X",
                                     "axis=0",
                                     ", axis=1, keepdims=true",
                                     "sum(",
                                     "max(",
                                     "norm(",
                                     "grad f wrt x\n",
                                     "grad L wrt X, x\n",
                                     "output f\n",
                                     "dim n = 1\n",
                                     ": [1]\n",
                                     ": row [n]\n",
                                     ": [m, 1]\n",
                                     "1e308",
                                     "1e-400",
                                     "999999999999999999999",
                                     "\\",
                                     "\"",
                                     "#",
                                     "\xff",
                                     "\xc3\xa9",
                                     "\t",
                                     ".T",
                                     "def f(x) = ",
                                     "return",
                                     "include \"a\"\n",
                                     "X: [n, n]\n",
                                     " wrt ",
                                     "diag(",
                                     "softmax(",
                                     "work0",
                                     "mx_x",
                                     "double"};

static void replace(size_t at, size_t gone, const void *with, size_t size) {
    if (current.size - gone + size > LONGEST)
        return;
    uint8_t copy[LONGEST];
    memcpy(copy, with, size);
    memmove(current.data + at + size, current.data + at + gone, current.size - at - gone);
    memcpy(current.data + at, copy, size);
    current.size += size - gone;
}

static size_t some_range(const struct input *input, size_t *at) {
    *at = below(input->size + 1);
    size_t most = input->size - *at, few = most < 24 ? most : 24;
    return below(below(4) ? few + 1 : most + 1);
}

static void mutate(const struct input *other) {
    size_t at, from;
    size_t size = some_range(&current, &at);
    const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];
    switch (below(6)) {
    case 0: /* a byte changes */
        if (at < current.size)
            current.data[at] = (uint8_t)(current.data[at] ^ (1u << below(8)));
        break;
    case 1: /* a part is lost */
        replace(at, size, "", 0);
        break;
    case 2: /* a part comes twice */
        replace(at, 0, current.data + at, size);
        break;
    case 3: /* a part of another program comes in */
        size = some_range(other, &from);
        replace(at, 0, other->data + from, size);
        break;
    case 4: /* a part gives way to a piece of the language */
        replace(at, below(3) ? 0 : size, piece, strlen(piece));
        break;
    default: /* something else is asked for */
        if (current.size)
            current.data[0] = (uint8_t)('0' + below(8));
    }
}

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    size_t mutations = strtoul(argv[1], NULL, 10), count = (size_t)argc - 3;
    struct input *inputs = calloc(count, sizeof *inputs);
    found = argv[2];
    if (!inputs)
        return 2;
    __sanitizer_set_death_callback(keep_current);
    signal(SIGALRM, stop);
    signal(SIGABRT, stop);
    for (size_t i = 0; i < count; i++) {
        read_input(&inputs[i], argv[i + 3]);
        current = inputs[i];
        try_current();
    }
    for (size_t i = 0; i < mutations; i++) {
        current = inputs[below(count)];
        for (size_t times = 1 + below(4); times > 0; times--)
            mutate(&inputs[below(count)]);
        try_current();
    }
    free(inputs);
    printf("%zu inputs, %zu mutations\n", count, mutations);
    return 0;
}
