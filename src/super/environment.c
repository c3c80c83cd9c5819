/* The environment of the workers, and the interpreter found by it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "super/plan.h"
#include "super/systemd.h"

#define ENV_FILE_MAX (1u << 20)

const char *plan_getenv(char *const *envp, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; envp != NULL && envp[i] != NULL; i++)
        if (strncmp(envp[i], name, n) == 0 && envp[i][n] == '=')
            return envp[i] + n + 1;
    return NULL;
}

/* A growing environment. */
struct env {
    char **items;
    size_t n, cap;
};

static struct str name_of(struct str pair)
{
    ptrdiff_t equals = str_find(pair, '=');

    return str_cut(pair, 0, equals < 0 ? pair.n : (size_t)equals);
}

static void env_put(struct env *env, struct str pair)
{
    for (size_t i = 0; i < env->n; i++) {
        if (!str_eq(name_of(str_of(env->items[i])), name_of(pair)))
            continue;
        mem_free(env->items[i]);
        env->items[i] = str_dup(pair);
        return;
    }
    if (env->n + 1 >= env->cap) {
        env->cap = env->cap == 0 ? 64 : env->cap * 2;
        env->items = mem_realloc(env->items, env->cap * sizeof(char *));
    }
    env->items[env->n++] = str_dup(pair);
    env->items[env->n] = NULL;
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = ascii_lower(name.p[i]);

        if (!((c >= 'a' && c <= 'z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return name.n > 0;
}

static struct str without_quotes(struct str value)
{
    char q = value.n >= 2 ? value.p[0] : '\0';

    if ((q == '"' || q == '\'') && value.p[value.n - 1] == q)
        return str_cut(value, 1, value.n - 1);
    return value;
}

/* K=V, with "export " before and one pair of quotes around V allowed; blank lines and # comments. No expansion of any kind. */
static int put_line(struct env *env, struct str line, const char *file, size_t number, struct why *why)
{
    struct str name, value;
    struct buf pair;
    int r;

    line = str_trim(line);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line = str_trim(str_cut(line, 0, line.n - 1));
    if (line.n == 0 || line.p[0] == '#')
        return 0;
    if (str_starts(line, STR("export ")))
        line = str_trim(str_cut(line, 7, line.n));
    name = str_trim(name_of(line));
    if (!is_name(name) || str_find(line, '=') < 0)
        return why_set(why, -EINVAL, "%s:%zu: expected NAME=VALUE", file, number);
    value = line;
    (void)str_split(&value, '=');
    value = without_quotes(str_trim(value));
    buf_init(&pair, ENV_FILE_MAX + 16);
    r = buf_printf(&pair, STR_FMT "=" STR_FMT, STR_ARG(name), STR_ARG(value));
    if (r == 0)
        env_put(env, buf_str(&pair));
    buf_fini(&pair);
    return r;
}

static int read_env_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r = 0;

    if (fd < 0)
        return -errno;
    for (;;) {
        ssize_t n;

        r = buf_reserve(out, 4096);
        if (r != 0)
            break;
        n = read(fd, out->data + out->len, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        r = n < 0 ? -errno : 0;
        if (n <= 0)
            break;
        buf_commit(out, (size_t)n);
    }
    close(fd);
    return r;
}

static int put_file(struct env *env, const char *path, struct why *why)
{
    struct buf text;
    struct str rest;
    size_t number = 0;
    int r;

    buf_init(&text, ENV_FILE_MAX);
    r = read_env_file(path, &text);
    if (r != 0)
        r = why_set(why, r, "--env-file: cannot read %s: %s", path, why_errno(r));
    rest = buf_str(&text);
    while (r == 0 && rest.n > 0)
        r = put_line(env, str_split(&rest, '\n'), path, ++number, why);
    buf_fini(&text);
    return r;
}

int plan_make_env(char *const *envp, const struct conf_list *files, const struct conf_list *pairs, char ***out,
                  struct why *why)
{
    struct env env = { 0 };
    int r = 0;

    for (size_t i = 0; envp[i] != NULL; i++)
        if (!systemd_owns_name(name_of(str_of(envp[i]))))
            env_put(&env, str_of(envp[i]));
    for (size_t i = 0; i < files->n && r == 0; i++)
        r = put_file(&env, files->items[i], why);
    for (size_t i = 0; i < pairs->n && r == 0; i++)
        env_put(&env, str_of(pairs->items[i]));
    if (env.items == NULL)
        env.items = mem_calloc(1, sizeof(char *));
    if (r == 0)
        *out = env.items;
    else
        plan_free_env(env.items);
    return r;
}

void plan_env_default(char ***envp, const char *name, const char *value)
{
    struct env env = { .items = *envp };
    struct buf pair;

    if (plan_getenv(*envp, name) != NULL)
        return;
    while (env.items[env.n] != NULL)
        env.n++;
    env.cap = env.n + 1; /* at least: the next one makes room */
    buf_init(&pair, ENV_FILE_MAX);
    if (buf_printf(&pair, "%s=%s", name, value) == 0)
        env_put(&env, buf_str(&pair));
    buf_fini(&pair);
    *envp = env.items;
}

void plan_free_env(char **env)
{
    for (size_t i = 0; env != NULL && env[i] != NULL; i++)
        mem_free(env[i]);
    mem_free(env);
}

/* Absolute, but with its links: a virtual environment's python is one, and where it stands tells it what it is. */
char *plan_absolute(const char *path)
{
    char cwd[PATH_MAX], whole[PATH_MAX * 2];

    if (path[0] == '/')
        return mem_strdup(path);
    if (getcwd(cwd, sizeof(cwd)) == NULL)
        return NULL;
    if (snprintf(whole, sizeof(whole), "%s/%s", cwd[1] == '\0' ? "" : cwd, path) < 0)
        return NULL;
    return mem_strdup(whole);
}

static char *if_runs(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) != 0)
        return NULL;
    return plan_absolute(path);
}

static char *on_path(const char *name, char *const *envp)
{
    const char *path = plan_getenv(envp, "PATH");
    struct str rest = str_of(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
    char candidate[PATH_MAX];

    while (rest.p != NULL) {
        struct str dir = str_split(&rest, ':');
        char *found;

        if (dir.n == 0 || dir.n + strlen(name) + 2 > sizeof(candidate))
            continue;
        (void)snprintf(candidate, sizeof(candidate), STR_FMT "/%s", STR_ARG(dir), name);
        found = if_runs(candidate);
        if (found != NULL)
            return found;
    }
    return NULL;
}

char *plan_find_program(const char *name, char *const *envp)
{
    return strchr(name, '/') != NULL ? if_runs(name) : on_path(name, envp);
}

char *plan_find_python(const char *wanted, char *const *envp)
{
    const char *venv = plan_getenv(envp, "VIRTUAL_ENV");
    char candidate[PATH_MAX];
    char *found = NULL;

    if (wanted != NULL)
        return plan_find_program(wanted, envp);
    if (venv != NULL && venv[0] != '\0' && strlen(venv) + 16 < sizeof(candidate)) {
        (void)snprintf(candidate, sizeof(candidate), "%s/bin/python", venv);
        found = if_runs(candidate);
    }
    if (found == NULL)
        found = if_runs(".venv/bin/python");
    if (found == NULL)
        found = if_runs("venv/bin/python");
    return found != NULL ? found : on_path("python3", envp);
}
