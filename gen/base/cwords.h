/* Words that no name in generated C may be. */
#ifndef MX_BASE_CWORDS_H
#define MX_BASE_CWORDS_H

#include <stdbool.h>

/* Is it a keyword of C (to C23) or C++ (to C++20), main, or a macro of a header that a caller may have included? */
bool c_word_is_reserved(const char *word);

#endif
