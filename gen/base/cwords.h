/* Words that no name in generated C may be. */
#ifndef MX_BASE_CWORDS_H
#define MX_BASE_CWORDS_H

#include <stdbool.h>

/* Is it a keyword of C (to C23) or C++ (to C++20), main, or a macro of a header that a caller may have included? */
bool c_word_is_reserved(const char *word);

/* May no function be called so? Reserved words, functions of the C library, the runtime's names, names that begin with
 * '_'. */
bool c_function_is_taken(const char *name);

/* Would a module of that name put its functions among the runtime's? */
bool c_prefix_is_taken(const char *name);

#endif
