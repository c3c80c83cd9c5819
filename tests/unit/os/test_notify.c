/* The datagrams a service manager gets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/notify.h"

static int manager(const char *name, struct sockaddr_un *addr)
{
    size_t n = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    *addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(addr->sun_path, name, n);
    if (name[0] == '@')
        addr->sun_path[0] = '\0';
    n += offsetof(struct sockaddr_un, sun_path) + (name[0] == '/');
    assert_int_equal(bind(fd, (struct sockaddr *)addr, (socklen_t)n), 0);
    return fd;
}

static void arrives(const char *name)
{
    struct sockaddr_un addr;
    int fd = manager(name, &addr);
    char text[64];

    assert_int_equal(notify_send(name, STR("READY=1\nSTATUS=well")), 0);
    assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 19);
    assert_memory_equal(text, "READY=1\nSTATUS=well", 19);
    close(fd);
}

static void test_path_and_abstract(void **state)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "@quintet-test-%d", (int)getpid());
    arrives(name);
    (void)snprintf(name, sizeof(name), "/tmp/quintet-test-%d", (int)getpid());
    arrives(name);
    assert_int_equal(notify_send(name, STR("READY=1")), -ECONNREFUSED);
    (void)unlink(name);
    assert_int_equal(notify_send(name, STR("READY=1")), -ENOENT);
}

static void test_other_shapes(void **state)
{
    char longer[200];

    memset(longer, 'a', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(notify_send(longer, STR("x")), -EINVAL);
    assert_int_equal(notify_send("relative", STR("x")), -EINVAL);
    assert_int_equal(notify_send("@", STR("x")), -EINVAL);
    assert_int_equal(notify_send("vsock:2:1", STR("x")), -EINVAL);
}

/* A manager that does not read costs its message, never our time. */
static void test_never_waits(void **state)
{
    struct sockaddr_un addr;
    char name[64];
    int fd, r = 0;

    (void)snprintf(name, sizeof(name), "@quintet-full-%d", (int)getpid());
    fd = manager(name, &addr);
    for (int i = 0; i < 100000 && r == 0; i++)
        r = notify_send(name, STR("WATCHDOG=1"));
    assert_int_equal(r, -EAGAIN);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_and_abstract),
        cmocka_unit_test(test_other_shapes),
        cmocka_unit_test(test_never_waits),
    };

    return cmocka_run_group_tests_name("os/notify", tests, NULL, NULL);
}
