/* Messages as datagrams: what goes in comes out, and what no row allows is refused with its descriptors closed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/message.h"

static int pair[2];
static char text[WIRE_TEXT_MAX];

static int setup(void **state)
{
    return wire_pair(pair);
}

static int teardown(void **state)
{
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static void send_one(const struct wire_message *m)
{
    assert_int_equal(wire_send(pair[0], m), 0);
}

static int receive(const char *route, struct wire_message *out)
{
    return wire_receive(pair[1], route, MSG_DONTWAIT, text, out);
}

/* What the other end of a pipe says tells whether the kernel still has a copy of its writing end. */
static bool pipe_is_open(int reader)
{
    char c;

    return read(reader, &c, 1) != 0;
}

static void test_numbers_and_text(void **state)
{
    struct wire_message in = { .type = WIRE_WORKER_STUCK,
                               .generation = 7,
                               .worker = 3,
                               .pid = 4711,
                               .number = UINT64_MAX,
                               .text = STR("GET /slow") };
    struct wire_message out;

    send_one(&in);
    assert_int_equal(receive("ES", &out), 1);
    assert_int_equal(out.type, WIRE_WORKER_STUCK);
    assert_int_equal(out.generation, 7);
    assert_int_equal(out.worker, 3);
    assert_int_equal(out.pid, 4711);
    assert_true(out.number == UINT64_MAX);
    assert_true(str_eq(out.text, STR("GET /slow")));
    assert_int_equal(out.n_fds, 0);
    assert_int_equal(receive("ES", &out), -EAGAIN);
}

static void test_longest_text(void **state)
{
    char *long_text = mem_zalloc(WIRE_TEXT_MAX);
    struct wire_message in = { .type = WIRE_BOOT_FAILED, .text = str_make(long_text, WIRE_TEXT_MAX) };
    struct wire_message out;

    memset(long_text, 'x', WIRE_TEXT_MAX);
    send_one(&in);
    assert_int_equal(receive("WS", &out), 1);
    assert_true(str_eq(out.text, in.text));
    mem_free(long_text);
}

static void test_descriptors(void **state)
{
    int p[2];
    struct wire_message in = { .type = WIRE_POOL, .generation = 2, .n_fds = 2 };
    struct wire_message out;

    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    in.fds[0] = p[1];
    in.fds[1] = p[1];
    send_one(&in);
    close(p[1]);
    assert_int_equal(receive("ES", &out), 1);
    assert_int_equal(out.n_fds, 2);
    assert_int_equal(write(out.fds[1], "y", 1), 1);
    assert_true(fcntl(out.fds[0], F_GETFD) & FD_CLOEXEC);
    close(out.fds[0]);
    out.fds[0] = -1; /* taken */
    assert_true(pipe_is_open(p[0]));
    wire_close_fds(&out);
    assert_false(pipe_is_open(p[0]));
    close(p[0]);
}

/* Every message is refused on every route but its own. */
static void test_routes(void **state)
{
    static const struct {
        enum wire_type type;
        char from, to;
        size_t least;
    } rows[] = {
#define X(name, from, to, least, most) { WIRE_##name, from, to, least },
        WIRE_LIST(X)
#undef X
    };
    static const char *const routes[] = { "SE", "ES", "SW", "WS", "EW", "WE", "CS", "SC" };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t j = 0; j < ARRAY_LEN(routes); j++) {
            bool own = (rows[i].from == '*' || rows[i].from == routes[j][0]) && rows[i].to == routes[j][1];
            struct wire_message in = { .type = rows[i].type, .n_fds = rows[i].least };
            struct wire_message out;

            for (size_t k = 0; k < in.n_fds; k++)
                in.fds[k] = pair[0];
            send_one(&in);
            assert_int_equal(receive(routes[j], &out), own ? 1 : -EPROTO);
            if (own)
                wire_close_fds(&out);
        }
    }
}

static void refused(const void *bytes, size_t n)
{
    struct wire_message out;

    assert_int_equal(send(pair[0], bytes, n, 0), (ssize_t)n);
    assert_int_equal(receive("ES", &out), -EPROTO);
    assert_int_equal(out.n_fds, 0);
}

static void test_hostile_bytes(void **state)
{
    static char bytes[24 + WIRE_TEXT_MAX + 1];
    uint32_t type = WIRE_COUNT;

    refused(bytes, 1);
    refused(bytes, 23);
    refused(bytes, 24); /* WIRE_NONE */
    memcpy(bytes, &type, 4);
    refused(bytes, 24);
    type = UINT32_MAX;
    memcpy(bytes, &type, 4);
    refused(bytes, 24);
    type = WIRE_STATUS;
    memcpy(bytes, &type, 4);
    refused(bytes, sizeof(bytes));
}

/* A known message with n descriptors, past the checks of wire_send. */
static void send_raw_fds(enum wire_type type, int fd, size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 64)];
    } control;
    uint32_t head[6] = { type };
    struct iovec iov = { head, sizeof(head) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = type == WIRE_NONE ? 0 : 1, .msg_control = control.bytes };
    struct cmsghdr *cmsg;

    memset(&control, 0, sizeof(control));
    msg.msg_controllen = CMSG_SPACE(sizeof(int) * n);
    cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n);
    for (size_t i = 0; i < n; i++)
        memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &fd, sizeof(fd));
    assert_true(sendmsg(pair[0], &msg, 0) >= 0);
}

static void test_hostile_descriptors(void **state)
{
    static const struct {
        enum wire_type type;
        size_t n;
    } cases[] = {
        { WIRE_STATUS, 1 },              /* none allowed */
        { WIRE_POOL, 1 },                /* too few */
        { WIRE_POOL, WIRE_FDS_MAX + 1 }, /* too many: cut by the kernel */
        { WIRE_POOL, 64 },
        { WIRE_NONE, 3 }, /* not one byte, descriptors alone */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire_message out;
        int p[2];

        assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
        send_raw_fds(cases[i].type, p[1], cases[i].n);
        close(p[1]);
        assert_int_equal(receive("ES", &out), -EPROTO);
        assert_false(pipe_is_open(p[0]));
        close(p[0]);
    }
}

static void test_end(void **state)
{
    struct wire_message out;
    int p[2];

    assert_int_equal(wire_pair(p), 0);
    close(p[0]);
    assert_int_equal(wire_receive(p[1], "ES", MSG_DONTWAIT, text, &out), 0);
    assert_int_equal(wire_send(p[1], &(struct wire_message){ .type = WIRE_DRAIN }), -EPIPE);
    close(p[1]);
}

/* A child that says why it dies while a command of ours lies unread must still be heard. */
static void test_last_words_after_unread_command(void **state)
{
    struct wire_message out;
    int p[2];

    assert_int_equal(wire_pair(p), 0);
    assert_int_equal(wire_send(p[1], &(struct wire_message){ .type = WIRE_STOP }), 0);
    assert_int_equal(wire_send(p[0], &(struct wire_message){ .type = WIRE_BOOT_FAILED, .text = STR("why") }), 0);
    close(p[0]);
    assert_int_equal(wire_receive(p[1], "WS", MSG_DONTWAIT, text, &out), 1);
    assert_true(str_eq(out.text, STR("why")));
    assert_int_equal(wire_receive(p[1], "WS", MSG_DONTWAIT, text, &out), 0);
    close(p[1]);
}

static void test_names(void **state)
{
    assert_string_equal(wire_name(WIRE_POOL_IDLE), "POOL_IDLE");
    assert_string_equal(wire_name(WIRE_NONE), "?");
    assert_string_equal(wire_name(WIRE_COUNT), "?");
}

static void test_blob(void **state)
{
    struct str out;
    int fd = wire_blob_make("test", STR("key value\n"));
    int loose = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_true(fd >= 0);
    assert_int_equal(wire_blob_read(fd, 10, &out), 0);
    assert_true(str_eq(out, STR("key value\n")));
    assert_int_equal(out.p[out.n], '\0');
    mem_free((char *)(uintptr_t)out.p);
    assert_int_equal(wire_blob_read(fd, 9, &out), -EMSGSIZE);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(wire_blob_read(loose, 10, &out), -EPROTO); /* not sealed: could change under our eyes */
    assert_int_equal(wire_blob_read(pair[0], 10, &out), -EPROTO);
    close(loose);
    close(fd);
}

static void test_empty_blob(void **state)
{
    struct str out;
    int fd = wire_blob_make("empty", STR(""));

    assert_true(fd >= 0);
    assert_int_equal(wire_blob_read(fd, 0, &out), 0);
    assert_int_equal(out.n, 0);
    mem_free((char *)(uintptr_t)out.p);
    close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_numbers_and_text),
        T(test_longest_text),
        T(test_descriptors),
        T(test_routes),
        T(test_hostile_bytes),
        T(test_hostile_descriptors),
        T(test_end),
        T(test_last_words_after_unread_command),
        T(test_names),
        T(test_blob),
        T(test_empty_blob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
