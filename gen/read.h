/* Files read: the program, and those that it includes. */
#ifndef MX_READ_H
#define MX_READ_H

#include "base/reading.h"
#include "base/text.h"
#include "base/vec.h"

#include <sys/types.h>

/* One file, by whatever path it is reached. */
struct file_identity {
    dev_t device;
    ino_t node;
};

struct reader {
    struct arena *arena;
    const char *const *folders; /* where included files may lie, after the folder of who includes */
    size_t folder_count;
    VEC(struct file_identity) known; /* by number; at[0]: the program */
};

/* Reads the program; path "-" is standard input. NULL, or why it cannot be read. */
const char *read_program(struct reader *reader, const char *path, struct text *text);
/* What the compiler asks for, in a struct reading; the context is the reader. */
bool read_included(void *reader, const char *path, const char *from, struct reading_file *file);

#endif
