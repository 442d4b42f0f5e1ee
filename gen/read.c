#include "read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char too_large[] = "it is larger than 4 GiB";

static const char *read_all(struct text *text, int file) {
    char buffer[1 << 16];
    for (;;) {
        ssize_t got = read(file, buffer, sizeof buffer);
        if (got == 0)
            return NULL;
        if (got < 0 && errno != EINTR)
            return strerror(errno);
        if (got > 0)
            text_write(text, buffer, (size_t)got);
        if (text->len >= UINT32_MAX)
            return too_large;
    }
}

/* So much is expected; more may come. */
static void make_room(struct text *text, size_t bytes) {
    text->cap = bytes + 1;
    text->data = arena_alloc(text->arena, text->cap);
}

/* The file's number among the known ones, as many as there are if it is new. */
static size_t find_known(const struct reader *reader, const struct stat *about) {
    size_t i = 0;
    while (i < reader->known.len &&
           (reader->known.at[i].device != about->st_dev || reader->known.at[i].node != about->st_ino))
        i++;
    return i;
}

/* Reads an open file, unless it is a known one. */
static const char *read_open(struct reader *reader, int file, struct text *text, size_t *number) {
    struct stat about;
    if (fstat(file, &about) != 0)
        return strerror(errno);
    if (S_ISDIR(about.st_mode))
        return "it is a directory";
    if (S_ISREG(about.st_mode) && about.st_size >= (off_t)UINT32_MAX)
        return too_large;
    *number = find_known(reader, &about);
    if (*number < reader->known.len)
        return NULL;
    make_room(text, S_ISREG(about.st_mode) ? (size_t)about.st_size : 0);
    const char *complaint = read_all(text, file);
    if (!complaint)
        vec_push(reader->arena, &reader->known, (struct file_identity){about.st_dev, about.st_ino});
    return complaint;
}

static const char *read_path(struct reader *reader, const char *path, struct text *text, size_t *number) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return strerror(errno);
    const char *complaint = read_open(reader, file, text, number);
    close(file);
    return complaint;
}

const char *read_program(struct reader *reader, const char *path, struct text *text) {
    size_t number;
    if (strcmp(path, "-") == 0)
        return read_open(reader, STDIN_FILENO, text, &number);
    return read_path(reader, path, text, &number);
}

/* ---- Included files -----------------------------------------------------------------------------------------------
 */

/* Where the file may lie: i = 0 is beside the file that includes it, the rest are the folders in order. */
static const char *candidate(const struct reader *reader, const char *path, const char *from, size_t i) {
    const char *slash = strrchr(from, '/');
    int length = slash ? (int)(slash - from) + 1 : 0;
    if (path[0] == '/')
        return path;
    if (i == 0)
        return format_string(reader->arena, "%.*s%s", length, from, path);
    const char *folder = reader->folders[i - 1];
    bool joined = folder[strlen(folder) - 1] == '/';
    return format_string(reader->arena, "%s%s%s", folder, joined ? "" : "/", path);
}

bool read_included(void *context, const char *path, const char *from, struct reading_file *file) {
    struct reader *reader = context;
    size_t count = path[0] == '/' ? 1 : 1 + reader->folder_count;
    file->complaint = path[0] ? NULL : "the path is empty";
    for (size_t i = 0; i < count && path[0]; i++) {
        struct text text = text_new(reader->arena);
        file->name = candidate(reader, path, from, i);
        errno = 0;
        file->complaint = read_path(reader, file->name, &text, &file->number);
        if (file->complaint && (errno == ENOENT || errno == ENOTDIR))
            continue;
        file->length = text.len;
        file->text = text.data ? text_string(&text) : NULL;
        return !file->complaint;
    }
    if (path[0] && count > 1)
        file->complaint = "no such file, in the folder of who includes it or in one of -I";
    return false;
}
