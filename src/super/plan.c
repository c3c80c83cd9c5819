/* From the command line to a plan. */
#include "super/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/proc.h"
#include "super/activation.h"

#define EXIT_USAGE 2

/* $PWD when it is the working directory: a project reached through a link (current -> release-7) is then followed again at each
 * reload. */
static char *find_origin(char *const *envp)
{
    const char *pwd = plan_getenv(envp, "PWD");
    struct stat here, there;
    char path[PATH_MAX];

    if (pwd != NULL && pwd[0] == '/' && stat(pwd, &there) == 0 && stat(".", &here) == 0 &&
        here.st_ino == there.st_ino && here.st_dev == there.st_dev)
        return mem_strdup(pwd);
    return mem_strdup(getcwd(path, sizeof(path)) != NULL ? path : "/");
}

void launch_init(struct launch *launch, int argc, char *const *argv, char *const *envp)
{
    *launch = (struct launch){ .argc = argc, .envp = envp, .origin = find_origin(envp) };
    launch->argv = mem_calloc((size_t)argc + 1, sizeof(char *));
    for (int i = 0; i < argc; i++)
        launch->argv[i] = mem_strdup(argv[i]);
}

void launch_set_program(struct launch *launch, const char *argv0)
{
    launch->program = mem_strdup(argv0);
}

/* A relative name is meant from the directory where the command was given. */
char *launch_find_program(const struct launch *launch)
{
    char name[PATH_MAX];
    bool relative = launch->program[0] != '/' && strchr(launch->program, '/') != NULL;

    (void)snprintf(name, sizeof(name), "%s%s%s", relative ? launch->origin : "", relative ? "/" : "", launch->program);
    return plan_find_program(name, launch->envp);
}

void launch_fini(struct launch *launch)
{
    mem_free(launch->program);
    for (int i = 0; i < launch->argc; i++)
        mem_free(launch->argv[i]);
    mem_free(launch->argv);
    mem_free(launch->origin);
    *launch = (struct launch){ 0 };
}

int launch_enter(const struct launch *launch, const char *to, struct why *why)
{
    if (chdir(launch->origin) < 0)
        return why_set(why, EXIT_USAGE, "cannot enter %s: %s", launch->origin, why_errno(errno));
    if (to != NULL && chdir(to) < 0)
        return why_set(why, EXIT_USAGE, "--chdir: cannot enter %s: %s", to, why_errno(errno));
    return 0;
}

/* The file is looked for in the project, so the directory comes first. */
static int read_layers(const struct launch *launch, struct plan *plan, struct why *why)
{
    char error[CONF_ERROR_MAX] = "";
    const char *file;
    int r;

    if (conf_read_args(plan->builder, launch->argc, launch->argv, error) != 0 ||
        conf_read_env(plan->builder, launch->envp, error) != 0)
        return why_set(why, EXIT_USAGE, "%s", error);
    r = launch_enter(launch, plan->conf->chdir, why);
    if (r != 0)
        return r;
    file = plan->conf->config;
    if (conf_read_file(plan->builder, file != NULL ? file : "quintet.yaml", file != NULL, error) != 0)
        return why_set(why, EXIT_USAGE, "%s", error);
    return 0;
}

/* Beside the program: in the build tree, or where `make install` puts it. */
static char *find_package(char *const *envp)
{
    static const char *const places[] = { "python", "../python", "../lib/quintet/python", "../../lib/quintet/python" };
    const char *told = plan_getenv(envp, "QUINTET_PACKAGE_DIR");
    char exe[PATH_MAX], path[PATH_MAX + 64], resolved[PATH_MAX];
    char *slash;

    if (told != NULL && told[0] != '\0')
        return realpath(told, resolved) != NULL ? mem_strdup(resolved) : NULL;
    if (proc_self_path(exe, sizeof(exe)) != 0)
        return NULL;
    slash = strrchr(exe, '/');
    must(slash != NULL);
    *slash = '\0';
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s/quintet/worker.py", exe, places[i]);
        if (access(path, R_OK) != 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", exe, places[i]);
        if (realpath(path, resolved) != NULL)
            return mem_strdup(resolved);
    }
    return NULL;
}

static int resolve_user(struct plan *plan, struct why *why)
{
    const char *user = plan->conf->user, *group = plan->conf->group;
    uid_t ignored;
    char spec[256];

    plan->uid = PROC_KEEP_ID;
    plan->gid = (gid_t)PROC_KEEP_ID;
    if (user == NULL && group == NULL)
        return 0;
    if (geteuid() != 0)
        return why_set(why, EXIT_USAGE, "--user and --group need root; start as root or leave them out");
    if (user != NULL && proc_find_user(user, &plan->uid, &plan->gid) != 0)
        return why_set(why, EXIT_USAGE, "--user: there is no user %s", user);
    if (group == NULL)
        return 0;
    (void)snprintf(spec, sizeof(spec), "0:%s", group);
    if (proc_find_user(spec, &ignored, &plan->gid) != 0)
        return why_set(why, EXIT_USAGE, "--group: there is no group %s", group);
    return 0;
}

int plan_read(const struct launch *launch, struct plan **out, struct why *why)
{
    struct plan *plan = mem_zalloc(sizeof(*plan));
    int r;

    plan->builder = conf_builder_new();
    plan->conf = conf_of(plan->builder);
    r = read_layers(launch, plan, why);
    if (r == 0)
        r = activation_apply(plan->builder, launch->envp, why);
    if (r == 0 && plan_make_env(launch->envp, &plan->conf->env_file, &plan->conf->env, &plan->env, why) != 0)
        r = EXIT_USAGE;
    if (r == 0)
        r = resolve_user(plan, why);
    if (r != 0) {
        plan_free(plan);
        return r;
    }
    plan->directory = plan_absolute("");
    plan->python = plan_find_python(plan->conf->python, plan->env);
    plan->package = find_package(launch->envp);
    *out = plan;
    return 0;
}

int plan_enter(const struct plan *plan, struct why *why)
{
    if (plan->directory == NULL || chdir(plan->directory) < 0)
        return why_set(why, -errno, "cannot enter %s: %s", plan->directory != NULL ? plan->directory : "the project",
                       why_errno(errno));
    return 0;
}

uint32_t plan_workers(const struct conf *conf, int more)
{
    int64_t workers = conf->workers != 0 ? (int64_t)conf->workers : (int64_t)proc_cores();
    int64_t most = 1024 / (int64_t)conf->threads;

    workers += more;
    if (workers > most)
        workers = most;
    if (workers > 256)
        workers = 256;
    return workers < 1 ? 1 : (uint32_t)workers;
}

/* The edge cannot see our terminal, so it is told. */
static int resolve_log_format(struct plan *plan)
{
    char error[CONF_ERROR_MAX];
    const char *log = plan->conf->log;
    bool terminal = (log == NULL || strcmp(log, "-") == 0) && isatty(STDERR_FILENO);

    if (plan->conf->log_format != CONF_LOG_AUTO)
        return 0;
    return conf_set(plan->builder, CONF_COMMAND_LINE, STR("by the terminal"), STR("log_format"),
                    terminal ? STR("text") : STR("json"), error);
}

int plan_finish(struct plan *plan, int more_workers, struct why *why)
{
    char error[CONF_ERROR_MAX] = "";

    if (conf_finish(plan->builder, error) != 0)
        return why_set(why, EXIT_USAGE, "%s", error);
    if (plan->conf->django_settings != NULL)
        plan_env_default(&plan->env, "DJANGO_SETTINGS_MODULE", plan->conf->django_settings);
    plan->umask = plan->conf->umask != NULL ? (int)strtol(plan->conf->umask, NULL, 8) : -1;
    plan->workers = plan_workers(plan->conf, more_workers);
    plan->threads = (uint32_t)plan->conf->threads;
    if (resolve_log_format(plan) != 0)
        return why_set(why, EXIT_USAGE, "cannot choose the form of the log");
    plan->app = plan->conf->app != NULL ? mem_strdup(plan->conf->app) : NULL;
    return 0;
}

int plan_check(const struct plan *plan, struct why *why)
{
    if (plan->python == NULL && plan->conf->python != NULL)
        return why_set(why, EXIT_USAGE, "--python: %s is no program that can be run", plan->conf->python);
    if (plan->python == NULL)
        return why_set(why, EXIT_USAGE,
                       "no Python found: looked for $VIRTUAL_ENV, .venv, venv and python3 on PATH; name it with "
                       "--python");
    if (plan->package == NULL)
        return why_set(why, 1,
                       "the Python side of this program is missing: quintet/worker.py is not where the build or the "
                       "installation puts it");
    /* Last: without an interpreter no project is found either. */
    if (plan->app == NULL)
        return why_set(why, EXIT_USAGE,
                       "nothing to run: name the application as MODULE:CALLABLE, or start in a Django project "
                       "(the directory of its manage.py, or --chdir)");
    return 0;
}

struct plan *plan_ref(struct plan *plan)
{
    plan->refs++;
    return plan;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL || plan->refs-- > 0)
        return;
    conf_builder_free(plan->builder);
    plan_free_env(plan->env);
    mem_free(plan->directory);
    mem_free(plan->python);
    mem_free(plan->package);
    mem_free(plan->app);
    mem_free(plan->notice);
    django_answer_fini(&plan->django);
    mem_free(plan);
}
