/* Which lane makes a handshake, and what becomes of a connection on its way when the process ends. Moving itself is tested in e2e/test_tls.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "edge/conn.h"
#include "edge/home.h"
#include "rig.h"

/* A home and a lane for handshakes, which nobody runs. */
static void begin(struct rig *rig)
{
    rig_init(rig, NULL, NULL);
    assert_int_equal(lane_init(&rig->edge.lanes[1], &rig->edge, 1), 0);
    rig->edge.n_lanes = 2;
}

static unsigned shaking(struct rig *rig, int lane)
{
    return atomic_load(&rig->edge.lanes[lane].n_shaking);
}

/* Somebody has come. The client's end. */
static int come(struct rig *rig, bool tls)
{
    struct conn_new new = { .peer = { .un = { .sun_family = AF_UNIX } }, .tls = tls };
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    assert_true(admit_enter(&rig->edge.admit, &new.peer, &new.by_address));
    new.fd = fds[1];
    home_begin(rig->lane, &new);
    return fds[0];
}

static void handshakes_go_where_the_fewest_are(void **state)
{
    struct rig rig;
    int client;
    char c;

    (void)state;
    begin(&rig);
    atomic_store(&rig.edge.lanes[0].n_shaking,
                 1); /* one more is no reason to go elsewhere; refused, as this edge has no certificate */
    client = come(&rig, true);
    assert_int_equal(read(client, &c, 1), 0);
    assert_int_equal(shaking(&rig, 0), 1);
    close(client);
    atomic_store(&rig.edge.lanes[0].n_shaking, 2);
    client = come(&rig, true);
    assert_int_equal(shaking(&rig, 0), 2);
    assert_int_equal(shaking(&rig, 1), 1);
    assert_int_equal(read(client, &c, 1), -1);
    assert_int_equal(atomic_load(&rig.edge.admit.open), 1);
    lane_drop_jobs(&rig.edge.lanes[1]); /* before it has looked */
    assert_int_equal(read(client, &c, 1), 0);
    assert_int_equal(atomic_load(&rig.edge.admit.open), 0);
    close(client);
    lane_fini(&rig.edge.lanes[1]);
    rig_fini(&rig);
}

static void stop(struct lane *lane, struct lane_job *job)
{
    (void)job;
    lane_stop(lane);
}

/* The lane is told to stop, and finds a newcomer behind that. */
static void nobody_begins_in_a_lane_that_has_stopped(void **state)
{
    struct lane_job job = { .fn = stop };
    struct rig rig;
    int client;
    char c;

    (void)state;
    begin(&rig);
    lane_set_snapshot(&rig.edge.lanes[1], rig.edge.snapshot);
    rig.edge.n_homes = 2;
    lane_post(&rig.edge.lanes[1], &job);
    atomic_store(&rig.edge.lanes[0].n_open, 100);
    client = come(&rig, false);
    atomic_store(&rig.edge.lanes[0].n_open, 0);
    loop_once(rig.edge.lanes[1].loop);
    assert_int_equal(read(client, &c, 1), 0);
    assert_int_equal(atomic_load(&rig.edge.admit.open), 0);
    close(client);
    lane_fini(&rig.edge.lanes[1]);
    rig_fini(&rig);
}

/* However many the home has. */
static void who_speaks_plainly_stays_at_home(void **state)
{
    struct rig rig;
    int client;

    (void)state;
    begin(&rig);
    atomic_store(&rig.edge.lanes[0].n_open, 100);
    client = come(&rig, false);
    assert_int_equal(atomic_load(&rig.edge.lanes[0].n_open), 101);
    assert_int_equal(shaking(&rig, 0), 0);
    atomic_store(&rig.edge.lanes[0].n_open, 1);
    close(client);
    lane_fini(&rig.edge.lanes[1]);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_go_where_the_fewest_are),
        cmocka_unit_test(nobody_begins_in_a_lane_that_has_stopped),
        cmocka_unit_test(who_speaks_plainly_stays_at_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
