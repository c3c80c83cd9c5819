/*
 * The command line of a worker: what quintet/worker.py is told at its start.
 */
#ifndef QUINTET_SUPER_WORKER_WORDS_H
#define QUINTET_SUPER_WORKER_WORDS_H

#include "super/worker.h"

/* argv for the plan's interpreter, NULL at its end; the caller's, for worker_words_free. The last word is padding for the process title. */
char **worker_words(struct worker_process *process);
void worker_words_free(char **words); /* NULL allowed */

#endif
