/* What one program hands over to the next: read as far as it can be explained, refused otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "super/handover.h"

#define KEY                                                                                                            \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677" \
    "8899aabbccddeeff"                                                                                                 \
    "00112233445566778899aabbccddeeff"

static struct why why;
static int fds[2]; /* stand for every descriptor */

static json_t *good(void)
{
    char key[2 * TLS_TICKET_KEY_LEN + 1];
    json_t *process = json_pack("{s:i, s:b, s:i, s:i, s:I, s:i}", "pid", 4711, "ready", 1, "channel", fds[0], "output",
                                fds[1], "started_ns", (json_int_t)1 << 40, "restarts", 2);
    json_t *worker = json_deep_copy(process);
    json_t *generation =
        json_pack("{s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:[i, i], s:[o, {s:i}]}", "number", 7, "release", 9,
                  "threads", 2, "umask", -1, "conf", "workers 2\n", "directory", "/srv", "python", "/usr/bin/python3",
                  "app", "app:app", "pool", fds[0], fds[1], "workers", worker, "pid", 0);

    (void)snprintf(key, sizeof(key), "%.*s", 2 * TLS_TICKET_KEY_LEN, KEY);
    assert_int_equal(strlen(key), 2 * TLS_TICKET_KEY_LEN);
    return json_pack("{s:i, s:I, s:i, s:i, s:s, s:n, s:i, s:s, s:[{s:i, s:s, s:s, s:i}], s:o, s:o}", "format",
                     HANDOVER_FORMAT, "started_ns", (json_int_t)5, "last_generation", 8, "more_workers", -1,
                     "ticket_key", key, "pid_file", "control", fds[0], "control_path", "/run/c", "listeners", "kind", 1,
                     "address", "fd://3", "shown", "[::]:443", "fd", fds[1], "edge", process, "generation", generation);
}

/* Takes the document over. */
static int read_it(json_t *document, struct handover *h)
{
    char *text = json_dumps(document, JSON_COMPACT);
    int fd = wire_blob_make("test", str_of(text)), r;

    assert_true(fd >= 0);
    r = handover_read(fd, h, &why);
    close(fd);
    free(text);
    json_decref(document);
    return r;
}

static int setup(void **state)
{
    return pipe(fds);
}

static int teardown(void **state)
{
    close(fds[0]);
    return close(fds[1]);
}

static void test_good(void **state)
{
    struct handover h;

    assert_int_equal(read_it(good(), &h), 0);
    assert_int_equal(h.last_generation, 8);
    assert_int_equal(h.more_workers, -1);
    assert_int_equal(h.tickets.n, 1);
    assert_int_equal(h.tickets.keys[0][1], 0x11);
    assert_true(h.tickets.made_ns > 0);
    assert_null(h.pid_file);
    assert_int_equal(h.listeners.n, 1);
    assert_int_equal(h.listeners.items[0].kind, LISTENER_TLS);
    assert_int_equal(h.edge.pid, 4711);
    assert_true(h.edge.ready);
    assert_true(h.edge.started_ns == (uint64_t)1 << 40);
    assert_int_equal(h.generation, 7);
    assert_int_equal(h.release, 9);
    assert_int_equal(h.workers, 2);
    assert_int_equal(h.n_pool_fds, 2);
    assert_int_equal(h.worker[0].past.output, fds[1]);
    assert_int_equal(h.worker[0].past.recorder, -1);
    assert_int_equal(h.worker[1].past.pid, 0);
    assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    handover_fini(&h);
}

static void refuse(const char *in, const char *name, json_t *value, int error)
{
    json_t *document = good();
    json_t *object = in != NULL ? json_object_get(document, in) : document;
    struct handover h;

    assert_int_equal(json_object_get(object, name) != NULL, 1);
    if (value != NULL)
        json_object_set_new(object, name, value);
    else
        json_object_del(object, name);
    assert_int_equal(read_it(document, &h), error);
    handover_fini(&h);
}

static void test_what_must_be_there(void **state)
{
    static const char *const needed[] = { "format", "ticket_key", "control", "control_path", "generation" };
    static const char *const of_generation[] = { "number", "threads", "conf", "directory",
                                                 "python", "app",     "pool", "workers" };

    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        refuse(NULL, needed[i], NULL, -EPROTO);
    for (size_t i = 0; i < ARRAY_LEN(of_generation); i++)
        refuse("generation", of_generation[i], NULL, -EPROTO);
}

/* Older keys come along where the program before had any. */
static void test_older_ticket_keys(void **state)
{
    json_t *document = good();
    char key[2 * TLS_TICKET_KEY_LEN + 1];
    struct handover h;

    (void)snprintf(key, sizeof(key), "%.*s", 2 * TLS_TICKET_KEY_LEN, KEY);
    json_object_set_new(document, "older_ticket_keys", json_sprintf("%s%s", key, key));
    json_object_set_new(document, "ticket_key_ns", json_integer(77));
    assert_int_equal(read_it(document, &h), 0);
    assert_int_equal(h.tickets.n, 3);
    assert_memory_equal(h.tickets.keys[2], h.tickets.keys[0], TLS_TICKET_KEY_LEN);
    assert_true(h.tickets.made_ns == 77);
    handover_fini(&h);
    document = good();
    json_object_set_new(document, "older_ticket_keys", json_sprintf("%s%s%s", key, key, key));
    assert_int_equal(read_it(document, &h), -EPROTO);
    handover_fini(&h);
    document = good();
    json_object_set_new(document, "older_ticket_keys", json_string("1234"));
    assert_int_equal(read_it(document, &h), -EPROTO);
    handover_fini(&h);
}

static void test_nonsense(void **state)
{
    refuse(NULL, "format", json_integer(HANDOVER_FORMAT + 1), -EPROTO);
    refuse(NULL, "ticket_key", json_string("00"), -EPROTO);
    refuse(NULL, "ticket_key", json_string(KEY KEY), -EPROTO);
    refuse(NULL, "control", json_integer(1000000), -EBADF);
    refuse(NULL, "control", json_string("3"), -EPROTO);
    refuse(NULL, "listeners", json_pack("[{s:i}]", "kind", 1), -EPROTO);
    refuse(NULL, "listeners", json_pack("[{s:i, s:s, s:s}]", "kind", 9, "address", "a", "shown", "b"), -EPROTO);
    refuse("edge", "channel", json_integer(-1), -EPROTO);
    refuse("edge", "channel", json_integer(1000000), -EBADF);
    refuse("generation", "pool", json_pack("[i]", fds[0]), -EPROTO);
    refuse("generation", "workers", json_array(), -EPROTO);
    refuse("generation", "conf", json_integer(1), -EPROTO);
}

static void test_no_document(void **state)
{
    struct handover h;
    int fd = wire_blob_make("test", STR("no JSON"));

    assert_int_equal(handover_read(fd, &h, &why), -EPROTO);
    handover_fini(&h);
    close(fd);
    assert_int_equal(handover_read(fds[0], &h, &why), -EPROTO);
    handover_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_what_must_be_there),
        cmocka_unit_test(test_older_ticket_keys),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_no_document),
    };

    return cmocka_run_group_tests_name("super/handover", tests, setup, teardown);
}
