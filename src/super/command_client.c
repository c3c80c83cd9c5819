/* The commands that talk to the running instance. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/units.h"
#include "super/client.h"
#include "super/commands.h"
#include "super/status_table.h"
#include "super/super.h"

/* Asks and reads to the final answer, printing progress. NULL: the connection ended first. */
static json_t *ask_for(int fd, json_t *request)
{
    json_t *answer;

    if (client_send(fd, request) != 0)
        return NULL;
    while ((answer = client_receive(fd)) != NULL) {
        const char *progress = json_string_value(json_object_get(answer, "progress"));

        if (json_is_true(json_object_get(answer, "done")))
            return answer;
        if (progress != NULL) {
            (void)printf("%s\n", progress);
            (void)fflush(stdout);
        }
        json_decref(answer);
    }
    return NULL;
}

static json_t *ask(int fd, const char *command)
{
    return ask_for(fd, json_pack("{s:s}", "command", command));
}

static int verdict(const json_t *answer, const char *good)
{
    const char *error = json_string_value(json_object_get(answer, "error"));

    if (answer == NULL) {
        (void)fprintf(stderr, "quintet: the server ended the conversation\n");
        return EXIT_FAILED;
    }
    if (!json_is_true(json_object_get(answer, "ok"))) {
        bool block = error != NULL && strchr(error, '\n') != NULL; /* a traceback needs an introduction */

        (void)fprintf(stderr, "quintet: %s%s\n",
                      block ? "failed, for the reason below; what served before serves on\n" : "",
                      error != NULL ? error : "failed");
        return EXIT_FAILED;
    }
    (void)printf("%s\n", json_is_string(json_object_get(answer, "text"))
                             ? json_string_value(json_object_get(answer, "text"))
                             : good);
    return EXIT_OK;
}

static int ask_and_wait(struct launch *launch, const char *command)
{
    int fd = client_connect(launch), r;
    json_t *answer;

    if (fd < 0)
        return EXIT_FAILED;
    answer = ask(fd, command);
    r = verdict(answer, "done");
    json_decref(answer);
    close(fd);
    return r;
}

int command_reload(struct launch *launch, const struct command_switches *switches)
{
    return ask_and_wait(launch, switches->edge ? "reload-edge" : "reload");
}

int command_rollback(struct launch *launch, const struct command_switches *switches)
{
    return ask_and_wait(launch, "rollback");
}

int command_pause(struct launch *launch, const struct command_switches *switches)
{
    uint64_t max_ns = PAUSE_DEFAULT_NS;
    char good[160];
    json_t *answer;
    int fd, r;

    if (switches->max != NULL && units_duration_parse(str_of(switches->max), &max_ns) != 0) {
        (void)fprintf(stderr, "quintet: --max: expected a duration such as 30s or 5m, found \"%s\"\n", switches->max);
        return EXIT_USAGE;
    }
    fd = client_connect(launch);
    if (fd < 0)
        return EXIT_FAILED;
    answer = ask_for(fd, json_pack("{s:s, s:f}", "command", "pause", "max", (double)max_ns / (double)NS_PER_SEC));
    (void)snprintf(good, sizeof(good),
                   "paused: nothing runs in the application; it goes on by itself %gs after the command was given, or "
                   "with `quintet resume`",
                   (double)max_ns / (double)NS_PER_SEC);
    r = verdict(answer, good);
    json_decref(answer);
    close(fd);
    return r;
}

int command_resume(struct launch *launch, const struct command_switches *switches)
{
    int fd = client_connect(launch), r;
    json_t *answer;

    if (fd < 0)
        return EXIT_FAILED;
    answer = ask(fd, "resume");
    r = verdict(answer, "resumed");
    json_decref(answer);
    close(fd);
    return r;
}

/* As we know it: the number it gives itself is another one if it runs in a container. -1: gone, or not ours to see. */
static int open_process(int fd)
{
    struct ucred peer = { 0 };
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.pid <= 0)
        return -1;
    return (int)syscall(SYS_pidfd_open, peer.pid, 0);
}

/* The socket ends a moment before the process does. */
static void wait_until_gone(int fd, int pidfd)
{
    json_t *more;

    while ((more = client_receive(fd)) != NULL)
        json_decref(more);
    if (pidfd < 0)
        return;
    while (poll(&(struct pollfd){ pidfd, POLLIN, 0 }, 1, -1) < 0 && errno == EINTR)
        ;
}

int command_stop(struct launch *launch, const struct command_switches *switches)
{
    int fd = client_connect(launch), r = EXIT_OK, pidfd;
    json_t *answer;

    if (fd < 0)
        return EXIT_FAILED;
    pidfd = open_process(fd); /* before the command: afterwards the number may be somebody else's */
    answer = ask(fd, "stop");
    if (json_is_true(json_object_get(answer, "ok"))) {
        wait_until_gone(fd, pidfd);
        (void)printf("stopped\n");
    } else {
        r = verdict(answer, "");
    }
    if (pidfd >= 0)
        close(pidfd);
    json_decref(answer);
    close(fd);
    return r;
}

static int show_status(struct launch *launch, bool json, const char *before)
{
    json_t *answer = NULL, *status;

    /* A program that takes over ends the conversations of the one before: once is an accident. */
    for (int tries = 0; answer == NULL && tries < 2; tries++) {
        int fd = client_connect(launch);

        if (fd < 0)
            return EXIT_FAILED;
        answer = ask(fd, "status");
        close(fd);
    }
    status = json_object_get(answer, "status");
    if (!json_is_object(status)) {
        json_decref(answer);
        return verdict(NULL, "");
    }
    (void)fputs(before, stdout);
    if (json) {
        (void)json_dumpf(status, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
        (void)putchar('\n');
    } else {
        status_table_print(status, stdout);
    }
    (void)fflush(stdout);
    json_decref(answer);
    return EXIT_OK;
}

int command_status(struct launch *launch, const struct command_switches *switches)
{
    return show_status(launch, switches->json, "");
}

int command_top(struct launch *launch, const struct command_switches *switches)
{
    const char *clear = isatty(STDOUT_FILENO) ? "\x1b[H\x1b[2J" : "";
    int r = show_status(launch, false, clear);

    while (r == EXIT_OK) {
        (void)poll(NULL, 0, 1000);
        r = show_status(launch, false, clear);
    }
    return r;
}
