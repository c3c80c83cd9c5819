/*
 * The answer of python/quintet/django_settings.py: what the project's Django settings say.
 *
 * The supervisor runs that script (PYTHON DIR/quintet/django_settings.py [--app APP] [--tls], in the project's directory, with the
 * application's environment), takes its standard output whole (at most DJANGO_ANSWER_MAX bytes) and gives it to django_read. Exit
 * status 3: the settings cannot be imported, traceback on its standard error. The answer comes from code we do not trust: everything
 * in it is checked like any other source of options.
 */
#ifndef QUINTET_CONF_DJANGO_H
#define QUINTET_CONF_DJANGO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"
#include "base/str.h"
#include "conf/conf.h"

#define DJANGO_ANSWER_MAX (1u << 20)
#define DJANGO_FINDINGS_MAX 64

/* Something that makes the project unfit for production. Owned strings, UTF-8. */
struct django_finding {
    char *id;   /* "secret-key": stable, for scripts */
    bool error; /* false: a warning */
    char *what; /* a clause without full stop */
    char *mend; /* what to do about it */
};

struct django_answer {
    bool found;    /* is there a Django project here? */
    char *why;     /* owned; when it was not found: one clause */
    char *version; /* owned; of Django, when found; may be NULL */
    struct django_finding findings[DJANGO_FINDINGS_MAX];
    size_t n_findings;
};

/* Sets the options in `b` as CONF_DJANGO and fills `out`. 0, or -EINVAL with the error (then `out` is empty). */
MUST_CHECK int django_read(struct conf_builder *b, struct str json, struct django_answer *out,
                           char error[CONF_ERROR_MAX]);
void django_answer_fini(struct django_answer *answer);

#endif
