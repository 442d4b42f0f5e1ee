/* Calls the functions of a module made with --reflect, as a program of its own, so that sanitizers see every access.
 *
 *   driver NAME DIM… INDEX… [NAME DIM… INDEX…]…     calls each function in turn
 *   driver NAME!STATUS …                            the status that this call gives, instead of MX_OK
 *   DRIVER_THREADS=N in the environment             by so many threads
 *
 * Standard input: the values of all inputs, in the order of the calls and arguments, as the module's real type;
 * standard output: the values of all outputs. What a forward function saves goes to the next function that takes saved.
 * Every array is allocated at its exact size, the workspace at an odd address; outputs begin as NaN. Exit 1: a status
 * other than that, an input that changed, a bad command line. */
#include <mxrt.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const mx_module MODULE;

static size_t real_size(void) {
    return strcmp(MODULE.real, "f32") == 0 ? sizeof(float) : sizeof(double);
}

static void fail(const char *what, const char *name) {
    fprintf(stderr, "driver: %s: %s\n", what, name);
    exit(1);
}

static const mx_function *find(const char *name) {
    for (int i = 0; i < MODULE.n_functions; i++)
        if (strcmp(MODULE.functions[i].name, name) == 0)
            return &MODULE.functions[i];
    fail("no such function", name);
    return NULL;
}

/* The value of a dimension expression: a sum of products of names and numbers, as the compiler prints it. */
static size_t expression(const mx_function *f, const size_t *dims, const char *text) {
    size_t total = 0;
    int sign = 1;
    while (*text) {
        size_t product = 1;
        for (;;) {
            size_t length = strcspn(text, " *");
            int d = 0;
            while (d < f->n_dims && (strlen(f->dims[d]) != length || strncmp(f->dims[d], text, length) != 0))
                d++;
            product *= d < f->n_dims ? dims[d] : strtoul(text, NULL, 10);
            text += length;
            if (*text != '*')
                break;
            text++;
        }
        total = sign > 0 ? total + product : total - product;
        if (*text == ' ') {
            sign = text[1] == '-' ? -1 : 1;
            text += 3;
        }
    }
    return total;
}

static size_t bytes_of(const mx_function *f, const size_t *dims, const mx_argument *argument) {
    size_t elements = 1;
    int stored = strcmp(argument->structure, "diagonal") == 0 ? 1 : argument->rank;
    for (int i = 0; i < stored; i++)
        elements *= expression(f, dims, argument->shape[i]);
    return elements * real_size();
}

static void *read_array(size_t bytes) {
    void *array = malloc(bytes ? bytes : 1);
    if (!array || fread(array, 1, bytes, stdin) != bytes)
        fail("short input", "stdin");
    return array;
}

static void *nan_array(size_t bytes) {
    unsigned char *array = malloc(bytes ? bytes : 1);
    if (array)
        memset(array, 0xff, bytes); /* a NaN in both types */
    return array;
}

static void call(const mx_function *f, const size_t *dims, void **saved, int expected) {
    void *in[64], *copy[64], *out[64];
    for (int i = 0; i < f->n_inputs; i++) {
        size_t bytes = bytes_of(f, dims, &f->inputs[i]);
        in[i] = read_array(bytes);
        copy[i] = malloc(bytes ? bytes : 1);
        memcpy(copy[i], in[i], bytes);
    }
    for (int i = 0; i < f->n_outputs; i++)
        out[i] = nan_array(bytes_of(f, dims, &f->outputs[i]));
    if (f->savedsize) {
        free(*saved);
        *saved = malloc(f->savedsize(dims) + 1);
    }
    size_t bytes = f->worksize(dims);
    char *work = malloc(bytes + 1);
    int status = f->call(dims, (const void *const *)in, out, *saved, bytes ? work + 1 : NULL);
    if (status != expected)
        fail(mx_status_string(status), f->name);
    for (int i = 0; i < f->n_inputs; i++) {
        if (memcmp(in[i], copy[i], bytes_of(f, dims, &f->inputs[i])) != 0)
            fail("an input was written", f->inputs[i].name);
        free(in[i]);
        free(copy[i]);
    }
    for (int i = 0; i < f->n_outputs; i++) {
        fwrite(out[i], 1, bytes_of(f, dims, &f->outputs[i]), stdout);
        free(out[i]);
    }
    free(work);
}

int main(int argc, char **argv) {
    void *saved = NULL;
    if (getenv("DRIVER_THREADS"))
        mx_set_num_threads(atoi(getenv("DRIVER_THREADS")));
    for (int at = 1; at < argc;) {
        char *mark = strchr(argv[at], '!');
        int expected = mark ? atoi(mark + 1) : MX_OK;
        if (mark)
            *mark = '\0';
        const mx_function *f = find(argv[at++]);
        size_t dims[64];
        int numbers = f->n_dims + f->n_indices;
        if (argc - at < numbers)
            fail("too few dimensions and indices", f->name);
        for (int i = 0; i < numbers; i++)
            dims[i] = strtoul(argv[at++], NULL, 10);
        call(f, dims, &saved, expected);
    }
    free(saved);
    return fflush(stdout) != 0;
}
