/*
 * What is to be run: the configuration, and everything that follows from it (interpreter, environment, user, numbers).
 *
 * A plan is made in steps, because the middle one runs a Python process that the supervisor must not wait for while it serves:
 *   plan_read      command line, environment, file
 *   (inspection)   the project's Django settings, see inspect.h
 *   plan_finish    rules between options, derived values
 * A generation and each of its workers' processes own the plan they were started with. Immutable after plan_finish.
 */
#ifndef QUINTET_SUPER_PLAN_H
#define QUINTET_SUPER_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "conf/django.h"
#include "super/why.h"

/* How the program was called: what a reload reads again. Copies, because the title overwrites argv. */
struct launch {
    int argc;          /* argv[0] is skipped by conf_read_args */
    char **argv;       /* owned */
    char *const *envp; /* borrowed: environ */
    char *program;     /* owned: argv[0] of the process; NULL before launch_set_program */
    char *origin;      /* owned: directory where the command was given, by the name the user knows it under */
};

struct plan {
    uint32_t refs;                /* besides the first */
    struct conf_builder *builder; /* owned */
    const struct conf *conf;      /* of builder */
    char *directory;              /* owned: the project's, without links: an older generation keeps its own */
    char *python;                 /* owned: path of the interpreter, absolute; NULL: none was found */
    char *package;                /* owned: directory that holds quintet/worker.py; NULL: not found */
    char **env;                   /* owned: environment of the workers */
    char *app;                    /* owned: after plan_finish; NULL: nothing to run was found */
    struct django_answer django;  /* owned: what the inspection found; empty: none made */
    char *notice;                 /* owned: why the settings of a named application could not be read; NULL */
    uint32_t workers, threads;    /* after plan_finish */
    uid_t uid;                    /* of workers; PROC_KEEP_ID */
    gid_t gid;
    int umask; /* -1: stay */
};

void launch_init(struct launch *launch, int argc, char *const *argv, char *const *envp);
void launch_set_program(struct launch *launch, const char *argv0);
/* Where that is on disk now; links are kept, so that a program to which they lead later is found. NULL: nowhere. The caller's to free. */
char *launch_find_program(const struct launch *launch);
void launch_fini(struct launch *launch);

/* Makes the project's directory the working one: `to` as --chdir says, from where the command was given. 0; or the exit status (2). */
MUST_CHECK int launch_enter(const struct launch *launch, const char *to, struct why *why);

/* Also changes to the project's directory. 0; or the exit status (2) with the reason. */
MUST_CHECK int plan_read(const struct launch *launch, struct plan **out, struct why *why);
/* How many workers that means, with so many more (or fewer). */
uint32_t plan_workers(const struct conf *conf, int more);
/* `more_workers`: what TTIN and TTOU have added. 0; or the exit status (2) with the reason. */
MUST_CHECK int plan_finish(struct plan *plan, int more_workers, struct why *why);
/* Is there something to run, and something to run it with? 0; or the exit status with the reason. */
MUST_CHECK int plan_check(const struct plan *plan, struct why *why);
struct plan *plan_ref(struct plan *plan); /* one more owner */
void plan_free(struct plan *plan);        /* by each owner; NULL allowed */

/* Relative paths of this plan are meant from its directory; another reload may have left us in its own. 0 or -errno with the reason. */
MUST_CHECK int plan_enter(const struct plan *plan, struct why *why);

/* The path from the working directory, links kept; NULL when that is gone. The caller's to free. */
char *plan_absolute(const char *path);
/* $VIRTUAL_ENV/bin/python, .venv/bin/python, venv/bin/python, python3 on PATH; `wanted` (a path, or a name on PATH) wins. NULL: none. */
char *plan_find_python(const char *wanted, char *const *envp);
/* Adds NAME=VALUE unless the environment has NAME. */
void plan_env_default(char ***env, const char *name, const char *value);
/* A program by its path, or its name on PATH: absolute, links kept; NULL: there is none that can be run. The caller's to free. */
char *plan_find_program(const char *name, char *const *envp);
/* The value of NAME in an environment, or NULL. */
const char *plan_getenv(char *const *envp, const char *name);
/* envp, then K=V lines of the files, then `pairs`: the later wins. 0 or -errno with the reason. */
MUST_CHECK int plan_make_env(char *const *envp, const struct conf_list *files, const struct conf_list *pairs,
                             char ***out, struct why *why);
void plan_free_env(char **env);

#endif
