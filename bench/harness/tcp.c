/* What TCP alone costs: tcp PORT THREADS. Answers each piece that comes on a connection with a fixed response of HTTP/1.1, 10 KB for "GET /10k", else 10 bytes,
 * with the fields that a WSGI server sends at least. It parses nothing, and no Python runs: one epoll, recv and send a request are left. Thread 0 accepts and
 * deals the connections out in turn. For clients that send a request whole and wait for its answer, as wrk does. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MOST_THREADS = 16, EVENTS = 64, SMALL = 10, LARGE = 10240 };

struct response {
    size_t n;
    char bytes[LARGE + 256];
};

static struct response small, large;
static int epolls[MOST_THREADS];

static void prepare(struct response *r, int body)
{
    r->n = (size_t)sprintf(r->bytes,
                           "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\n"
                           "Content-Length: %d\r\n\r\n",
                           body);
    memset(r->bytes + r->n, 'x', (size_t)body);
    r->n += (size_t)body;
}

static void serve(int fd)
{
    char request[4096];
    ssize_t n = recv(fd, request, sizeof(request), 0);
    const struct response *r = n >= 8 && memcmp(request, "GET /10k", 8) == 0 ? &large : &small;

    if (n <= 0 || send(fd, r->bytes, r->n, MSG_NOSIGNAL) != (ssize_t)r->n)
        close(fd);
}

static void *loop(void *arg)
{
    struct epoll_event events[EVENTS];
    int epoll = *(int *)arg;

    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++)
            serve(events[i].data.fd);
    }
    return NULL;
}

static void deal(int listener, int threads)
{
    for (int i = 0, one = 1;; i = (i + 1) % threads) {
        int fd = accept(listener, NULL, NULL);
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        epoll_ctl(epolls[i], EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char **argv)
{
    int port = argc > 2 ? atoi(argv[1]) : 0, threads = argc > 2 ? atoi(argv[2]) : 0;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((unsigned short)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    pthread_t thread;

    if (port < 1 || port > 65535 || threads < 1 || threads > MOST_THREADS) {
        fputs("usage: tcp PORT THREADS\n", stderr);
        return 2;
    }
    prepare(&small, SMALL);
    prepare(&large, LARGE);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 1024) < 0) {
        perror("tcp");
        return 1;
    }
    for (int i = 0; i < threads; i++) {
        epolls[i] = epoll_create1(0);
        pthread_create(&thread, NULL, loop, &epolls[i]);
    }
    deal(listener, threads);
}
