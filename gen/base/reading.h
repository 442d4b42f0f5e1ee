/* How the compiler is given the files that a program includes: it opens none itself. */
#ifndef MX_BASE_READING_H
#define MX_BASE_READING_H

#include <stdbool.h>
#include <stddef.h>

struct reading_file {
    size_t number; /* the same for one file by whatever path it is reached: 0 is the program, 1 the first that is new */
    const char *name; /* for messages, and for who asks what was read */
    const char *text; /* NUL-terminated, or NULL if the file was given before; stays until the compilation is over */
    size_t length;
    const char *complaint; /* why there is none: "No such file or directory" */
};

struct reading {
    /* Finds `path`, which the file named `from` includes. False: it cannot be read, and the complaint says why. */
    bool (*read)(void *context, const char *path, const char *from, struct reading_file *file);
    void *context;
};

#endif
