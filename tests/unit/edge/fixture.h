/*
 * A rig with one application of one seat and one client: where most tests of the application's side begin.
 */
#ifndef QUINTET_TESTS_EDGE_FIXTURE_H
#define QUINTET_TESTS_EDGE_FIXTURE_H

#include "rig.h"

#define GET "GET /a%20b?q=1 HTTP/1.1\r\nHost: shop.test:81\r\nX-Forwarded-For: 6.6.6.6\r\nA_B: c\r\nProxy: p\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"

struct fixture {
    struct rig rig;
    struct rig_app app;
    struct pool_request request;
    int client;
};

void open_fixture(struct fixture *f, const char *option, const char *value);
void close_fixture(
    struct fixture *f); /* every test ends with the same question: is a slot or a descriptor left over? */
void send_request(struct fixture *f, const char *request); /* which the edge does not answer yet */
/* And the worker takes it: f->request is what it sees. */
struct pool_ticket send_and_take(struct fixture *f, const char *request);
/* The answer begins with `status` and holds `has`. */
void expect(struct fixture *f, const char *status, const char *has);
void answer_hello(struct fixture *f, struct pool_ticket ticket); /* 200, "hello", END, DONE */
/* A FILE frame; its descriptor, which stays the caller's, goes ahead of it. -1: none does. */
void put_file(struct fixture *f, struct pool_ticket ticket, int fd, uint64_t length);
/* Turns the loop until the answer begins to come, for what needs time; the caller's (mem_free). */
char *await_answer(struct fixture *f);

#endif
