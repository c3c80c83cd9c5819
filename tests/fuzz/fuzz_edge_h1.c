/*
 * A client's bytes into a whole edge: files, pages, health, a queue no worker empties. The first byte says how they are cut and whether the
 * client half-closes. The client is a trusted proxy: the PROXY protocol and the fields of proxies count. What comes back must be answers, the
 * connection must end, and nothing may be left of it.
 */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HALF_CLOSE 0x80
#define UNREAD_TURNS                                                                                                   \
    20 /* with an answer due, what is pipelined stays in the socket, and byte by byte that is soon full */

struct heard {
    size_t n;
    char first[9]; /* of all that came */
};

static void hear(struct heard *heard, int client)
{
    static char bytes[65536];
    ssize_t n;

    while ((n = recv(client, bytes, sizeof(bytes), 0)) > 0) {
        for (size_t i = 0; heard->n < sizeof(heard->first) && i < (size_t)n; i++)
            heard->first[heard->n++] = bytes[i];
    }
}

/* Prior knowledge (RFC 9113 3.3), perhaps behind a PROXY header: such a client hears frames. */
static bool may_be_http2(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    return memmem(data, size, preface, sizeof(preface) - 1) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig *rig;
    struct heard heard = { 0 };
    size_t piece, at = 1;
    int client, unread = 0;

    if (rig == NULL)
        rig = rig_make(false);
    if (size < 2)
        return 0;
    piece = (data[0] & 0x7f) == 0 ? size : (size_t)(data[0] & 0x7f) * (data[0] & 0x7f);
    client = rig_connect(rig);
    while (at < size) {
        size_t n = size - at < piece ? size - at : piece;
        ssize_t sent = send(client, data + at, n, MSG_NOSIGNAL);

        if (sent > 0)
            at += (size_t)sent;
        else if (list_empty(&rig->lane->open) || ++unread > UNREAD_TURNS)
            break;
        rig_turn(rig);
        hear(&heard, client);
    }
    if (data[0] & HALF_CLOSE) {
        (void)shutdown(client, SHUT_WR);
        for (int i = 0; i < 20; i++) {
            rig_turn(rig);
            hear(&heard, client);
        }
    }
    must(may_be_http2(data + 1, size - 1) || memcmp(heard.first, "HTTP/1.1 ", heard.n) == 0);
    close(client);
    rig_quiet(rig);
    return 0;
}
