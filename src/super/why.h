/*
 * Why something could not be done: the text that a failing step hands up to whoever tells the user.
 */
#ifndef QUINTET_SUPER_WHY_H
#define QUINTET_SUPER_WHY_H

#include "base/must.h"
#include "wire/message.h"

/* A sentence mostly; a whole traceback when the application could not be imported. Cut where it is full. */
struct why {
    char text[WIRE_TEXT_MAX + 256];
};

/* Writes the text and returns `code`, so that a step can end with it. */
int why_set(struct why *why, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* An errno's meaning (either sign), beginning small, for the middle of a sentence. Static storage, the supervisor's one thread. */
const char *why_errno(int error);

#endif
