/* Sockets from the service manager: when they count, and as what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "super/activation.h"

static struct why why;
static char pid_line[32];

static const struct conf *apply(struct conf_builder *b, const char *fds, const char *names)
{
    char fds_line[64], names_line[128];
    char *envp[] = { pid_line, fds_line, names_line, NULL };

    (void)snprintf(fds_line, sizeof(fds_line), "LISTEN_FDS=%s", fds);
    (void)snprintf(names_line, sizeof(names_line), "LISTEN_FDNAMES=%s", names);
    assert_int_equal(activation_apply(b, envp, &why), 0);
    return conf_of(b);
}

static void test_http_and_tls(void **state)
{
    struct conf_builder *b = conf_builder_new();
    const struct conf *conf;

    (void)snprintf(pid_line, sizeof(pid_line), "LISTEN_PID=%d", (int)getpid());
    conf = apply(b, "4", "web:https:tls");
    assert_int_equal(conf->bind.n, 2);
    assert_string_equal(conf->bind.items[0], "fd://3");
    assert_string_equal(conf->bind.items[1], "fd://6");
    assert_int_equal(conf->tls_bind.n, 2);
    assert_string_equal(conf->tls_bind.items[0], "fd://4");
    assert_string_equal(conf->tls_bind.items[1], "fd://5");
    conf_builder_free(b);
}

static void test_for_another_process(void **state)
{
    struct conf_builder *b = conf_builder_new();

    (void)snprintf(pid_line, sizeof(pid_line), "LISTEN_PID=%d", (int)getppid());
    assert_string_equal(apply(b, "1", "")->bind.items[0], "127.0.0.1:8000");
    (void)snprintf(pid_line, sizeof(pid_line), "LISTEN_PID=%d", (int)getpid());
    assert_string_equal(apply(b, "many", "")->bind.items[0], "127.0.0.1:8000");
    assert_string_equal(apply(b, "0", "")->bind.items[0], "127.0.0.1:8000");
    conf_builder_free(b);
}

static void test_configured_addresses_win(void **state)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX];

    (void)snprintf(pid_line, sizeof(pid_line), "LISTEN_PID=%d", (int)getpid());
    assert_int_equal(conf_set(b, CONF_FILE, STR("test"), STR("bind"), STR("[::1]:0"), error), 0);
    assert_int_equal(apply(b, "1", "")->bind.n, 1);
    assert_string_equal(conf_of(b)->bind.items[0], "[::1]:0");
    conf_builder_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_and_tls),
        cmocka_unit_test(test_for_another_process),
        cmocka_unit_test(test_configured_addresses_win),
    };

    return cmocka_run_group_tests_name("super/activation", tests, NULL, NULL);
}
