/* Channels: queueing past a full socket, last words of a dead peer, refusal, and closing inside one's own callback. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/channel.h"

struct end {
    struct channel channel;
    size_t messages;
    uint64_t last_number;
    char last_text[64];
    int taken_fd;
    bool fini_in_message;
    int closed; /* times */
    int error;
};

static struct loop *loop;
static struct end a;
static int peer; /* the other end, blocking, no channel */
static char text[WIRE_TEXT_MAX];

static void on_message(struct channel *channel, struct wire_message *message)
{
    struct end *end = channel->owner;

    end->messages++;
    end->last_number = message->number;
    if (message->text.n < sizeof(end->last_text)) {
        memcpy(end->last_text, message->text.p, message->text.n);
        end->last_text[message->text.n] = '\0';
    }
    if (message->n_fds > 0) {
        end->taken_fd = message->fds[0];
        message->fds[0] = -1;
    }
    if (end->fini_in_message)
        channel_fini(channel);
}

static void on_close(struct channel *channel, int error)
{
    struct end *end = channel->owner;

    end->closed++;
    end->error = error;
    channel_fini(channel);
}

static const struct channel_handlers handlers = { on_message, on_close };

static int setup(void **state)
{
    int p[2];

    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(wire_pair(p), 0);
    a = (struct end){ .taken_fd = -1 };
    assert_int_equal(channel_init(&a.channel, loop, p[0], "ES", &handlers), 0);
    a.channel.owner = &a;
    peer = p[1];
    return 0;
}

static int teardown(void **state)
{
    channel_fini(&a.channel);
    channel_fini(&a.channel); /* again is harmless */
    loop_free(loop);
    if (peer >= 0)
        close(peer);
    return 0;
}

static void say(struct wire_message m)
{
    assert_int_equal(wire_send(peer, &m), 0);
}

static void test_receive_in_order(void **state)
{
    for (uint64_t i = 1; i <= 3; i++)
        say((struct wire_message){ .type = WIRE_STATUS, .number = i, .text = STR("{}") });
    loop_once(loop);
    assert_int_equal(a.messages, 3);
    assert_true(a.last_number == 3);
    assert_string_equal(a.last_text, "{}");
}

static void test_taken_descriptor_stays_open(void **state)
{
    struct wire_message m = { .type = WIRE_POOL, .n_fds = 2, .fds = { peer, peer } };

    say(m);
    loop_once(loop);
    assert_true(a.taken_fd >= 0);
    assert_true(fcntl(a.taken_fd, F_GETFD) >= 0);
    close(a.taken_fd);
}

/* More than a socket holds: all of it arrives, in order, with descriptors, once the peer reads. */
static void test_queue(void **state)
{
    struct wire_message in = { .type = WIRE_CONF, .n_fds = 1, .text = str_make(text, 8000) };
    static char received_text[WIRE_TEXT_MAX];
    struct wire_message out;
    uint64_t n = 0;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    in.fds[0] = fd;
    while (a.channel.queued < 50) {
        in.number = n++;
        channel_send(&a.channel, &in);
    }
    close(fd);
    for (uint64_t i = 0; i < n; i++) {
        while (wire_receive(peer, "SE", MSG_DONTWAIT, received_text, &out) == -EAGAIN)
            loop_once(loop);
        assert_true(out.number == i);
        assert_int_equal(out.text.n, 8000);
        assert_int_equal(out.n_fds, 1);
        assert_true(fcntl(out.fds[0], F_GETFD) >= 0);
        wire_close_fds(&out);
    }
    assert_int_equal(a.channel.queued, 0);
    assert_int_equal(a.closed, 0);
}

static void test_queue_has_a_limit(void **state)
{
    struct wire_message in = { .type = WIRE_DRAIN, .text = str_make(text, WIRE_TEXT_MAX) };

    for (int i = 0; i < CHANNEL_QUEUE_MAX + 100; i++)
        channel_send(&a.channel, &in);
    assert_int_equal(a.closed, 0); /* not inside channel_send */
    loop_once(loop);
    assert_int_equal(a.closed, 1);
    assert_int_equal(a.error, -ENOBUFS);
}

static void test_orderly_end(void **state)
{
    close(peer);
    peer = -1;
    loop_once(loop);
    assert_int_equal(a.closed, 1);
    assert_int_equal(a.error, 0);
}

/* The peer dies after its last words, we notice by a failing send: the words are delivered all the same. */
static void test_last_words_after_failed_send(void **state)
{
    channel_tell(&a.channel, WIRE_DRAIN, 0, 0); /* stays unread */
    say((struct wire_message){ .type = WIRE_POOL_BAD, .text = STR("last words") });
    close(peer);
    peer = -1;
    channel_tell(&a.channel, WIRE_DRAIN, 0, 0);
    channel_tell(&a.channel, WIRE_DRAIN, 0, 0);
    loop_once(loop);
    assert_string_equal(a.last_text, "last words");
    while (a.closed == 0)
        loop_once(loop);
    assert_int_equal(a.error, 0);
}

static void test_refuses_what_is_not_for_us(void **state)
{
    say((struct wire_message){ .type = WIRE_STATUS, .number = 1 });
    say((struct wire_message){ .type = WIRE_SWITCH });
    say((struct wire_message){ .type = WIRE_STATUS, .number = 2 });
    loop_once(loop);
    assert_true(a.last_number == 1); /* nothing after the broken one */
    assert_int_equal(a.closed, 1);
    assert_int_equal(a.error, -EPROTO);
}

static void test_fini_inside_message(void **state)
{
    a.fini_in_message = true;
    for (uint64_t i = 1; i <= 3; i++)
        say((struct wire_message){ .type = WIRE_STATUS, .number = i });
    loop_once(loop);
    assert_int_equal(a.messages, 1);
    assert_int_equal(a.closed, 0);
}

static void test_fini_before_close_phase(void **state)
{
    for (int i = 0; i < CHANNEL_QUEUE_MAX + 100; i++)
        channel_send(&a.channel, &(struct wire_message){ .type = WIRE_DRAIN, .text = str_make(text, WIRE_TEXT_MAX) });
    channel_fini(&a.channel); /* on_close was due */
    loop_wake(loop);
    loop_once(loop);
    assert_int_equal(a.closed, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_receive_in_order),
        T(test_taken_descriptor_stays_open),
        T(test_queue),
        T(test_queue_has_a_limit),
        T(test_orderly_end),
        T(test_last_words_after_failed_send),
        T(test_refuses_what_is_not_for_us),
        T(test_fini_inside_message),
        T(test_fini_before_close_phase),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
