/* Listeners from the service manager. */
#include "super/activation.h"

#include <stdio.h>
#include <unistd.h>

#include "super/plan.h"

#define EXIT_USAGE 2
#define SOCKETS_MAX 64

/* How many sockets are meant for us. */
static uint64_t count_sockets(char *const *envp)
{
    const char *pid = plan_getenv(envp, "LISTEN_PID"), *fds = plan_getenv(envp, "LISTEN_FDS");
    uint64_t whose, n;

    if (pid == NULL || fds == NULL || str_to_u64(str_of(pid), INT32_MAX, &whose) != 0 || (pid_t)whose != getpid())
        return 0;
    return str_to_u64(str_of(fds), SOCKETS_MAX, &n) == 0 ? n : 0;
}

static int set(struct conf_builder *builder, const char *option, struct str value, struct why *why)
{
    char error[CONF_ERROR_MAX] = "";

    if (conf_set(builder, CONF_ENVIRONMENT, STR("LISTEN_FDS"), str_of(option), value, error) != 0)
        return why_set(why, EXIT_USAGE, "%s", error);
    return 0;
}

int activation_apply(struct conf_builder *builder, char *const *envp, struct why *why)
{
    uint64_t n = count_sockets(envp);
    const char *names = plan_getenv(envp, "LISTEN_FDNAMES");
    struct str rest = str_of(names != NULL ? names : "");
    int r;

    if (n == 0 || conf_source_of(builder, STR("bind")) != CONF_DEFAULT ||
        conf_source_of(builder, STR("tls_bind")) != CONF_DEFAULT)
        return 0;
    r = set(builder, "bind", STR(""), why); /* the default address is not wanted beside them */
    for (uint64_t i = 0; i < n && r == 0; i++) {
        struct str name = rest.p != NULL ? str_split(&rest, ':') : STR("");
        bool tls = str_eq(name, STR("https")) || str_eq(name, STR("tls"));
        char address[32];

        (void)snprintf(address, sizeof(address), "fd://%llu", (unsigned long long)i + ACTIVATION_FIRST_FD);
        r = set(builder, tls ? "tls_bind" : "bind", str_of(address), why);
    }
    return r;
}
