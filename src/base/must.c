/*
 * The last words of a process that found a bug in itself. Uses the stack and write(2) only: the heap, stdio and the log
 * may be what is broken.
 */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void must_fail(const char *condition, const char *file, int line, const char *function)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "quintet[%d]: panic: %s at %s:%d in %s\n", (int)getpid(), condition, file,
                     line, function);

    if (n >= (int)sizeof(text)) {
        n = (int)sizeof(text) - 1;
        text[n - 1] = '\n';
    }
    if (n > 0 && write(2, text, (size_t)n) < 0) {
        /* Nobody left to tell; abort() says it to the supervisor. */
    }
    abort();
}
