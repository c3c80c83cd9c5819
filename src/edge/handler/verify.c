/* Waiting for a comparison of passwords (edge/credentials.h). */
#include "edge/handler/verify.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/gate.h"
#include "edge/route.h"
#include "http/basic.h"

static const struct handler verify_handler;

static const struct header challenge = { STR_INIT("WWW-Authenticate"),
                                         STR_INIT("Basic realm=\"restricted\", charset=\"UTF-8\"") };

static const struct handler *refuse(struct exchange *ex)
{
    gate_field(ex, challenge.name, challenge.value);
    return gate_refuse(ex, 401, STR("a name and a password are wanted"));
}

/* The job, or NULL when it has been let in lately. */
static struct credentials_job *prepare(struct exchange *ex, struct str name, struct str password)
{
    struct credentials *c = &ex->lane->edge->credentials;
    const struct passwords *users = &ex->route->passwords->users;
    const char *hash = passwords_hash(users, name);
    struct credentials_job *job = mem_try_zalloc(sizeof(*job));

    if (job == NULL)
        return NULL;
    job->known = hash != NULL;
    hash = hash != NULL ? hash : users->entries[0].hash;
    job->key = credentials_key(c, str_of(hash), name, password);
    job->lane = ex->lane;
    memcpy(job->hash, hash, strlen(hash));
    memcpy(job->password, password.p, password.n);
    return job;
}

static const struct handler *look_up(struct exchange *ex, struct str name, struct str password)
{
    struct credentials *c = &ex->lane->edge->credentials;
    struct credentials_job *job = prepare(ex, name, password);
    struct str user;

    if (job == NULL)
        return gate_refuse(ex, 503, STR(""));
    user = arena_dup(&ex->arena, name);
    must(user.p != NULL);
    ex->remote_user = user;
    if (job->known && credentials_remembered(c, &job->key, clock_mono_ns())) {
        credentials_job_free(job);
        return NULL;
    }
    ex->state = job;
    return &verify_handler;
}

const struct handler *verify_ask(struct exchange *ex)
{
    struct str value = exchange_field(ex, HTTP_F_AUTHORIZATION), name, password;
    char bytes[HTTP_BASIC_MAX + 1];
    const struct handler *answer = NULL;

    if (ex->route->passwords == NULL)
        return gate_refuse(ex, 503, STR("the passwords are not there"));
    if (value.p == NULL || http_basic_parse(value, bytes, &name, &password) != 0 || name.n == 0 ||
        name.n > PASSWORDS_NAME_MAX || password.n >= PASSWORDS_LENGTH_MAX)
        return refuse(ex);
    answer = look_up(ex, name, password);
    mem_wipe(bytes, sizeof(bytes));
    return answer;
}

/* The answer has come. The body, if there is one, is complete: the route's own handler can start. */
static void verified(struct exchange *ex, bool in)
{
    const struct handler *next = in ? route_answer(ex) : refuse(ex);

    ex->state = NULL;
    if (!in)
        ex->remote_user = STR("");
    ex->handler = next;
    if (in)
        ex->routed = next;
    next->start(ex);
}

static void verify_start(struct exchange *ex)
{
    struct credentials_job *job = ex->state;
    int error;

    job->exchange = ex;
    job->done = verified;
    error = credentials_submit(&ex->lane->edge->credentials, job);
    if (error == 0)
        return;
    credentials_job_free(job);
    ex->state = NULL;
    exchange_page(ex, 503, STR("too many passwords are being compared"));
}

/* Whoever is with the thread is freed when it comes back; before the start it is ours. */
static void verify_end(struct exchange *ex)
{
    struct credentials_job *job = ex->state;

    if (job->exchange == NULL)
        credentials_job_free(job);
    else
        job->exchange = NULL;
}

static const struct handler verify_handler = {
    .name = "verify", .wants_body = true, .start = verify_start, .end = verify_end
};
