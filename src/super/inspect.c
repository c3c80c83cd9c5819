/* The inspection by the loop: two pipes, a deadline, an exit status. */
#include "super/inspect.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_BOOT 3

bool inspect_wanted(const struct plan *plan)
{
    if (!script_exists(plan, "django_settings"))
        return false;
    return access("manage.py", R_OK) == 0 || plan_getenv(plan->env, "DJANGO_SETTINGS_MODULE") != NULL;
}

static void make_script(const struct plan *plan, struct script *script)
{
    size_t n = 0;

    *script = (struct script){ .name = "django_settings" };
    if (plan->conf->app != NULL) {
        script->args[n++] = "--app";
        script->args[n++] = plan->conf->app;
    }
    if (plan->conf->tls_bind.n > 0)
        script->args[n++] = "--tls";
}

/* ---- the answer ---- */

static int judge(struct plan *plan, const struct script_result *r, struct why *why)
{
    char error[CONF_ERROR_MAX] = "";

    if (r->late)
        return why_set(why, EXIT_BOOT,
                       "the Django settings could not be read within a minute: does their import wait for something?");
    if (WIFSIGNALED(r->status))
        return why_set(why, EXIT_BOOT, "reading the Django settings ended by signal %d", WTERMSIG(r->status));
    if (WEXITSTATUS(r->status) != 0)
        return why_set(why, EXIT_BOOT, "the Django settings cannot be imported:\n" STR_FMT,
                       STR_ARG(str_cut(r->err, 0, WIRE_TEXT_MAX)));
    django_answer_fini(&plan->django);
    if (django_read(plan->builder, r->out, &plan->django, error) != 0)
        return why_set(why, EXIT_USAGE, "%s", error);
    return 0;
}

static int settle(struct plan *plan, const struct script_result *r, struct why *why)
{
    bool named = plan->conf->app != NULL;
    int result = judge(plan, r, why);

    if (result == 0 || !named)
        return result;
    mem_free(plan->notice);
    plan->notice = mem_strdup(why->text);
    return 0;
}

/* ---- by the loop ---- */

static void close_pipe(struct inspect *inspect, struct loop_io *io, int *fd)
{
    if (*fd < 0)
        return;
    loop_io_remove(inspect->loop, io);
    close(*fd);
    *fd = -1;
}

static void fini(struct inspect *inspect)
{
    loop_timer_stop(inspect->loop, &inspect->timer);
    close_pipe(inspect, &inspect->out, &inspect->out_fd);
    close_pipe(inspect, &inspect->err, &inspect->err_fd);
    buf_fini(&inspect->out_text);
    buf_fini(&inspect->err_text);
    inspect->plan = NULL;
}

static void finish_when_all_is_there(struct inspect *inspect)
{
    struct why *why;
    int result;

    if (inspect->plan == NULL || inspect->pid != 0 || inspect->out_fd >= 0 || inspect->err_fd >= 0)
        return;
    why = mem_zalloc(sizeof(*why));
    inspect->result.out = buf_str(&inspect->out_text);
    inspect->result.err = buf_str(&inspect->err_text);
    result = settle(inspect->plan, &inspect->result, why);
    fini(inspect);
    inspect->fn(inspect->arg, result, why);
    mem_free(why);
}

static void on_out(struct loop_io *io, uint32_t events)
{
    struct inspect *inspect = CONTAINER_OF(io, struct inspect, out);

    if (!script_read(inspect->out_fd, &inspect->out_text))
        close_pipe(inspect, io, &inspect->out_fd);
    finish_when_all_is_there(inspect);
}

static void on_err(struct loop_io *io, uint32_t events)
{
    struct inspect *inspect = CONTAINER_OF(io, struct inspect, err);

    if (!script_read(inspect->err_fd, &inspect->err_text))
        close_pipe(inspect, io, &inspect->err_fd);
    finish_when_all_is_there(inspect);
}

/* Whatever keeps the pipes open after the kill is not waited for. */
static void on_timer(struct loop_timer *timer)
{
    struct inspect *inspect = CONTAINER_OF(timer, struct inspect, timer);

    inspect->result.late = true;
    close_pipe(inspect, &inspect->out, &inspect->out_fd);
    close_pipe(inspect, &inspect->err, &inspect->err_fd);
    if (inspect->pid > 0)
        (void)kill(inspect->pid, SIGKILL);
    finish_when_all_is_there(inspect);
}

void inspect_init(struct inspect *inspect, struct loop *loop)
{
    *inspect = (struct inspect){ .loop = loop, .out_fd = -1, .err_fd = -1 };
    inspect->out = (struct loop_io){ .fd = -1, .fn = on_out };
    inspect->err = (struct loop_io){ .fd = -1, .fn = on_err };
    loop_timer_init(&inspect->timer, on_timer);
}

int inspect_start(struct inspect *inspect, struct plan *plan, inspect_fn *fn, void *arg)
{
    struct script script;
    int r;

    make_script(plan, &script);
    r = (int)script_start(plan, &script, &inspect->out_fd, &inspect->err_fd);
    if (r < 0)
        return r;
    inspect->pid = r;
    inspect->plan = plan;
    inspect->fn = fn;
    inspect->arg = arg;
    inspect->result = (struct script_result){ 0 };
    buf_init(&inspect->out_text, SCRIPT_OUTPUT_MAX);
    buf_init(&inspect->err_text, SCRIPT_OUTPUT_MAX);
    r = loop_io_add(inspect->loop, &inspect->out, inspect->out_fd, EPOLLIN);
    if (r == 0)
        r = loop_io_add(inspect->loop, &inspect->err, inspect->err_fd, EPOLLIN);
    if (r != 0) {
        inspect_cancel(inspect);
        return r;
    }
    loop_timer_set(inspect->loop, &inspect->timer, SCRIPT_TIMEOUT_NS);
    return 0;
}

void inspect_reaped(struct inspect *inspect, int status)
{
    inspect->pid = 0;
    inspect->result.status = status;
    finish_when_all_is_there(inspect);
}

void inspect_cancel(struct inspect *inspect)
{
    if (inspect->plan == NULL)
        return;
    if (inspect->pid > 0)
        (void)kill(inspect->pid, SIGKILL);
    inspect->pid = 0;
    fini(inspect);
}

/* ---- waiting ---- */

int inspect_wait(struct plan *plan, struct why *why)
{
    struct script_result result = { 0 };
    struct script script;
    struct buf out, err;
    int r;

    buf_init(&out, SCRIPT_OUTPUT_MAX);
    buf_init(&err, SCRIPT_OUTPUT_MAX);
    make_script(plan, &script);
    r = script_wait(plan, &script, &out, &err, &result);
    if (r == 0)
        r = settle(plan, &result, why);
    else
        r = script_cannot_run(plan, r, why);
    buf_fini(&out);
    buf_fini(&err);
    return r;
}
