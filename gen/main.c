/* The command: reads the program, calls the compiler, writes what it gives. All files of a run are written beside
 * their places first and moved there last, so that each is whole or as it was. */
#include "base/arena.h"
#include "base/source.h"
#include "compile.h"
#include "options.h"
#include "read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int complain(const char *what, const char *path, const char *why) {
    fprintf(stderr, "mxc: error: %s '%s': %s\n", what, path, why);
    return MXC_FILE;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------
 */

#define OUTPUTS_MAX 3

struct output {
    const char *path; /* "-": standard output */
    struct compile_text text;
    bool straight;            /* a device or a pipe: written to, not replaced */
    char place[PATH_MAX];     /* what is to be replaced: the path, links followed */
    char temporary[PATH_MAX]; /* holds the text until it is moved; "": none now */
    bool moved;
};

struct outputs {
    struct output at[OUTPUTS_MAX];
    size_t count;
};

static void add_output(struct outputs *outputs, const char *path, struct compile_text text) {
    outputs->at[outputs->count++] = (struct output){.path = path, .text = text};
}

static bool is_standard(const struct output *output) {
    return strcmp(output->path, "-") == 0;
}

static bool write_all(int file, struct compile_text text) {
    for (size_t done = 0; done < text.length;) {
        ssize_t put = write(file, text.data + done, text.length - done);
        if (put < 0 && errno != EINTR)
            return false;
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

/* Where the output goes in the end. */
static int find_place(struct output *output) {
    struct stat about;
    output->straight = is_standard(output);
    if (output->straight)
        return MXC_DONE;
    if (strlen(output->path) >= PATH_MAX)
        return complain("cannot write", output->path, strerror(ENAMETOOLONG));
    strcpy(output->place, output->path);
    if (stat(output->path, &about) != 0)
        return MXC_DONE;
    if (S_ISDIR(about.st_mode))
        return complain("cannot write", output->path, "it is a directory");
    output->straight = !S_ISREG(about.st_mode);
    if (!output->straight && !realpath(output->path, output->place))
        return complain("cannot write", output->path, strerror(errno));
    return MXC_DONE;
}

/* A new file in the folder of the place, or -1. Its name is short, so that it fits wherever the place's does. */
static int open_temporary(struct output *output) {
    int folder = (int)(base_name(output->place) - output->place);
    for (int i = 0; i < 1000; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%.*s.mxc%ld-%d", folder, output->place, (long)getpid(), i);
        if (length >= PATH_MAX)
            errno = ENAMETOOLONG;
        int file = length >= PATH_MAX ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0)
            strcpy(output->temporary, path);
        if (file >= 0 || errno != EEXIST)
            return file;
    }
    return -1;
}

/* Writes and closes; `name` is for the complaint. */
static int write_and_close(int file, const struct output *output, const char *name) {
    bool done = file >= 0 && write_all(file, output->text);
    int why = errno;
    if (file >= 0 && close(file) != 0 && done) {
        done = false;
        why = errno;
    }
    return done ? MXC_DONE : complain("cannot write", name, strerror(why));
}

static int write_straight(const struct output *output) {
    if (is_standard(output))
        return write_and_close(STDOUT_FILENO, output, "standard output");
    return write_and_close(open(output->path, O_WRONLY | O_CLOEXEC), output, output->path);
}

static int write_temporary(struct output *output) {
    return write_and_close(open_temporary(output), output, output->path);
}

static int move_into_place(struct output *output) {
    if (output->straight)
        return MXC_DONE;
    if (rename(output->temporary, output->place) != 0)
        return complain("cannot write", output->path, strerror(errno));
    output->temporary[0] = '\0';
    output->moved = true;
    return MXC_DONE;
}

/* After a failure: no temporary file stays, and no file of this run without its siblings. */
static void take_back(struct outputs *outputs) {
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->at[i].temporary[0])
            unlink(outputs->at[i].temporary);
        if (outputs->at[i].moved)
            unlink(outputs->at[i].place);
    }
}

static int write_outputs(struct outputs *outputs) {
    int status = MXC_DONE;
    for (size_t i = 0; i < outputs->count && !status; i++)
        status = find_place(&outputs->at[i]);
    for (size_t i = 0; i < outputs->count && !status; i++)
        status = outputs->at[i].straight ? MXC_DONE : write_temporary(&outputs->at[i]);
    for (size_t i = 0; i < outputs->count && !status; i++)
        status = outputs->at[i].straight ? write_straight(&outputs->at[i]) : MXC_DONE;
    for (size_t i = 0; i < outputs->count && !status; i++)
        status = move_into_place(&outputs->at[i]);
    if (status)
        take_back(outputs);
    return status;
}

/* ---- The run ------------------------------------------------------------------------------------------------------
 */

/* Devices may stand for several files. */
static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    bool x_there = stat(a, &x) == 0, y_there = stat(b, &y) == 0;
    if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return false;
    if (!x_there || !y_there)
        return strcmp(a, b) == 0;
    return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* No output may be the input or another output. */
static int check_paths(const struct options *options) {
    const char *paths[] = {options->input, options->output, options->header, options->dependencies};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t j = i + 1; j < sizeof paths / sizeof *paths; j++)
            if (paths[i] && paths[j] && same_file(paths[i], paths[j])) {
                const char *what = i == 0 ? "the program" : "another output";
                fprintf(stderr, "mxc: error: writing '%s' would overwrite %s\n", paths[j], what);
                return MXC_USAGE;
            }
    return MXC_DONE;
}

static int check_included(const struct options *options, const struct compile_result *result) {
    const char *paths[] = {options->output, options->header, options->dependencies};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t j = 0; paths[i] && j < result->included_count; j++)
            if (same_file(paths[i], result->included[j])) {
                fprintf(stderr, "mxc: error: writing '%s' would overwrite an included file\n", paths[i]);
                return MXC_USAGE;
            }
    return MXC_DONE;
}

/* "affine.c affine.h: affine.mx layers.mx" */
static struct compile_text dependency_rule(struct arena *arena, const struct options *options,
                                           const struct compile_result *result) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < options->targets.len; i++)
        text_printf(&text, "%s%s", i ? " " : "", options->targets.at[i]);
    text_putc(&text, ':');
    if (strcmp(options->input, "-") != 0)
        text_printf(&text, " %s", make_spelling(arena, options->input));
    for (size_t i = 0; i < result->included_count; i++)
        text_printf(&text, " %s", make_spelling(arena, result->included[i]));
    text_putc(&text, '\n');
    return (struct compile_text){text_string(&text), text.len};
}

static int write_result(struct arena *arena, const struct options *options, const struct compile_result *result) {
    struct outputs outputs = {.count = 0};
    add_output(&outputs, options->output, result->main);
    if (options->header)
        add_output(&outputs, options->header, result->header);
    if (options->dependencies)
        add_output(&outputs, options->dependencies, dependency_rule(arena, options, result));
    return write_outputs(&outputs);
}

static int run_compiler(struct arena *arena, const struct options *options) {
    struct reader reader = {.arena = arena, .folders = options->folders.at, .folder_count = options->folders.len};
    struct reading reading = {read_included, &reader};
    struct compile_options compile_options = options->compile;
    compile_options.reading = &reading;
    int status = check_paths(options);
    if (status)
        return status;
    struct text program = text_new(arena);
    bool standard = strcmp(options->input, "-") == 0;
    const char *complaint = read_program(&reader, options->input, &program);
    if (complaint)
        return complain("cannot read", standard ? "standard input" : options->input, complaint);
    struct compile_result result;
    compile(&result, &compile_options, text_string(&program), program.len);
    if (result.messages.length)
        fwrite(result.messages.data, 1, result.messages.length, stderr);
    status = result.status;
    if (!status)
        status = check_included(options, &result);
    if (!status)
        status = write_result(arena, options, &result);
    if (!status)
        fwrite(result.statistics.data, 1, result.statistics.length, stderr);
    compile_free(&result);
    return status;
}

static int print(const struct text *text) {
    struct output output = {.path = "-", .text = {text->data, text->len}};
    return write_straight(&output);
}

static int explain(struct arena *arena, const char *code) {
    const char *explanation = compile_explanation(code);
    if (!explanation) {
        fprintf(stderr, "mxc: error: no message has the code '%s'\n", code);
        return MXC_USAGE;
    }
    struct text text = text_new(arena);
    for (const char *c = code; *c; c++)
        text_putc(&text, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
    text_printf(&text, "\n\n%s", explanation);
    return print(&text);
}

static int run(struct arena *arena, int argc, char **argv) {
    struct options options;
    struct text text = text_new(arena);
    if (!options_read(&options, arena, argc, argv, &text)) {
        fputs(text_string(&text), stderr);
        return MXC_USAGE;
    }
    switch (options.action) {
    case ACTION_EXPLAIN:
        return explain(arena, options.explain);
    case ACTION_VERSION:
        text_puts(&text, "mxc " MXC_VERSION "\n");
        return print(&text);
    case ACTION_HELP:
        options_help(&text, options.help);
        return print(&text);
    case ACTION_LANGUAGE:
        manual_print(&text, options.help);
        return print(&text);
    case ACTION_COMPILE:
        break;
    }
    return run_compiler(arena, &options);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error like any other */
    jmp_buf failure;
    struct arena *arena = arena_new(&failure);
    int status = MXC_ERRORS;
    if (arena && setjmp(failure) == 0)
        status = run(arena, argc, argv);
    else
        fputs("mxc: error[E0900]: memory ran out\n", stderr);
    arena_free(arena);
    return status;
}
