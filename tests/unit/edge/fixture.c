/* A rig, an application, a client. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "os/proc.h"
#include "wire/message.h"

static size_t descriptors;

void open_fixture(struct fixture *f, const char *option, const char *value)
{
    descriptors = proc_count_fds();
    rig_init(&f->rig, option, value);
    rig_app_open(&f->rig, &f->app, 1, 1);
    f->client = rig_connect(&f->rig);
}

void close_fixture(struct fixture *f)
{
    close(f->client);
    mem_free(rig_read(&f->rig, f->client));
    assert_int_equal(f->app.generation->used, 0);
    assert_int_equal(f->rig.edge.dispatch.n_queued, 0);
    assert_int_equal(f->rig.lane->pending, 0);
    rig_app_close(&f->rig, &f->app);
    rig_fini(&f->rig);
    assert_int_equal(proc_count_fds(), descriptors);
}

void send_request(struct fixture *f, const char *request)
{
    char *answer = rig_talk(&f->rig, f->client, request, strlen(request));

    assert_string_equal(answer, "");
    mem_free(answer);
}

struct pool_ticket send_and_take(struct fixture *f, const char *request)
{
    send_request(f, request);
    return rig_app_take(&f->app, 0, &f->request);
}

void expect(struct fixture *f, const char *status, const char *has)
{
    char *answer = rig_read(&f->rig, f->client);

    if (strncmp(answer, status, strlen(status)) != 0 || strstr(answer, has) == NULL)
        fail_msg("got %s\nexpected %s … %s", answer, status, has);
    mem_free(answer);
}

void answer_hello(struct fixture *f, struct pool_ticket ticket)
{
    rig_app_head(&f->app, ticket, 200, "Content-Length", "5");
    rig_app_data(&f->app, ticket, "hello");
    rig_app_end(&f->app, ticket, 0);
}

void put_file(struct fixture *f, struct pool_ticket ticket, int fd, uint64_t length)
{
    struct wire_message m = { .type = WIRE_FILE_BODY, .n_fds = 1, .fds = { fd } };
    struct pool_file range = { .offset = 0, .length = length };

    m.number = (uint64_t)ticket.slot << 32 | ticket.serial;
    if (fd >= 0)
        assert_int_equal(wire_send(f->app.channel, &m), 0);
    assert_int_equal(pool_put_file(f->app.pool, ticket, &range), 0);
}

char *await_answer(struct fixture *f)
{
    for (;;) {
        char *answer = rig_read(&f->rig, f->client);

        if (answer[0] != '\0')
            return answer;
        mem_free(answer);
    }
}
