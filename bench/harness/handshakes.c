/* A client that makes TLS 1.3 connections one after the other in some threads, and one request on each: handshakes PORT PATH SECONDS THREADS full|resumed.
 * Prints JSON: requests, seconds, p50, p99, p999 (seconds from connect() to the end of the response), failures, resumed. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 20, MOST_THREADS = 256 };

struct client {
    pthread_t thread;
    SSL_SESSION *session;
    int count, failures, resumed;
    double *times;
};

static SSL_CTX *context;
static struct sockaddr_in address = { .sin_family = AF_INET };
static char request[512];
static double end;
static int resume;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Tickets come after the handshake; the client is the connection's. A ticket serves once (RFC 8446 C.4), and
 * OpenSSL sees to that: a server that gives no new one with a resumed handshake makes the next one a full one. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct client *client = SSL_get_app_data(ssl);
    SSL_SESSION_free(client->session);
    client->session = session;
    return 1;
}

/* Handshake, request, the response to its end; whether it was 200. */
static int exchange(struct client *client, SSL *ssl)
{
    char buffer[16384];
    int n, good = 0, first = 1;
    if (SSL_connect(ssl) != 1)
        return 0;
    client->resumed += SSL_session_reused(ssl);
    if (resume && client->count > 0 && !SSL_session_reused(ssl))
        client->failures++;
    if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
        return 0;
    while ((n = SSL_read(ssl, buffer, sizeof buffer)) > 0) {
        if (first)
            good = n > 12 && memcmp(buffer + 8, " 200", 4) == 0;
        first = 0;
    }
    SSL_shutdown(ssl);
    return good;
}

static void once(struct client *client)
{
    double start = now();
    int fd = socket(AF_INET, SOCK_STREAM, 0), good = 0, on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof on); /* or the request waits for the acknowledgement of Finished */
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        SSL *ssl = SSL_new(context);
        SSL_set_app_data(ssl, client);
        SSL_set_fd(ssl, fd);
        if (resume && client->session)
            SSL_set_session(ssl, client->session);
        good = exchange(client, ssl);
        SSL_free(ssl);
    }
    close(fd);
    client->failures += !good;
    client->times[client->count++] = now() - start;
}

static void *work(void *arg)
{
    struct client *client = arg;
    while (now() < end && client->count < MOST)
        once(client);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    static struct client clients[MOST_THREADS];
    int threads = atoi(argv[4]), count = 0, failures = 0, resumed = 0;
    double start = now();
    if (threads < 1 || threads > MOST_THREADS)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost:%s\r\nConnection: close\r\n\r\n", argv[2],
             argv[1]);
    end = start + atof(argv[3]);
    resume = strcmp(argv[5], "resumed") == 0;
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    for (int i = 0; i < threads; i++) {
        clients[i].times = calloc(MOST, sizeof(double)); /* pages that are not touched cost nothing */
        pthread_create(&clients[i].thread, NULL, work, &clients[i]);
    }
    double *all = calloc((size_t)MOST * (size_t)threads, sizeof(double));
    for (int i = 0; i < threads; i++) {
        pthread_join(clients[i].thread, NULL);
        memcpy(all + count, clients[i].times, sizeof(double) * (size_t)clients[i].count);
        count += clients[i].count, failures += clients[i].failures, resumed += clients[i].resumed;
    }
    double took = now() - start;
    qsort(all, (size_t)count, sizeof *all, by_size);
    printf("{\"requests\": %d, \"seconds\": %.6f, \"p50\": %.6f, \"p99\": %.6f, \"p999\": %.6f, \"failures\": %d, "
           "\"resumed\": %d}\n",
           count, took, all[count / 2], all[(int)(count * 0.99)], all[(int)(count * 0.999)], failures, resumed);
    return 0;
}
