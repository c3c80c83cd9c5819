/*
 * A client's frames into a whole edge: files, pages, health, a queue no worker empties. The preface stands before them. The first byte says how they
 * are cut and whether the client half-closes. What comes back must be whole frames, SETTINGS first; the connection must end, and nothing may be left.
 */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge_rig.h"
#include "http/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HALF_CLOSE 0x80
#define HEAD 9
#define SETTINGS 4

/* Frames as they come, in whatever pieces. */
struct ear {
    uint8_t head[HEAD];
    size_t n_head, left; /* of the frame that is coming */
    bool spoken;
};

static void hear_head(struct ear *ear)
{
    ear->left = (size_t)ear->head[0] << 16 | (size_t)ear->head[1] << 8 | ear->head[2];
    must(ear->left <= H2_FRAME_MAX && ear->head[5] < 0x80);
    must(ear->spoken || (ear->head[3] == SETTINGS && ear->head[4] == 0));
    ear->spoken = true;
    ear->n_head = 0;
}

static void hear_bytes(struct ear *ear, const uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t skip = ear->left < n ? ear->left : n;

        ear->left -= skip;
        p += skip;
        n -= skip;
        if (n == 0)
            break;
        ear->head[ear->n_head++] = *p++;
        n--;
        if (ear->n_head == HEAD)
            hear_head(ear);
    }
}

static void hear(struct ear *ear, int client)
{
    static uint8_t bytes[65536];
    ssize_t n;

    while ((n = recv(client, bytes, sizeof(bytes), 0)) > 0)
        hear_bytes(ear, bytes, (size_t)n);
}

/* False: the edge has closed. */
static bool say(struct rig *rig, int client, const void *p, size_t n, struct ear *ear)
{
    size_t at = 0;

    while (at < n) {
        ssize_t sent = send(client, (const char *)p + at, n - at, MSG_NOSIGNAL);

        if (sent > 0)
            at += (size_t)sent;
        else if (list_empty(&rig->lane->open))
            return false;
        rig_turn(rig);
        hear(ear, client);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig *rig;
    struct ear ear = { 0 };
    size_t piece, at = 1;
    int client;

    if (rig == NULL)
        rig = rig_make(false);
    if (size < 2)
        return 0;
    piece = (data[0] & 0x7f) == 0 ? size : (size_t)(data[0] & 0x7f) * (data[0] & 0x7f);
    client = rig_connect(rig);
    for (bool open = say(rig, client, H2_PREFACE, H2_PREFACE_LEN, &ear); open && at < size; at += piece)
        open = say(rig, client, data + at, size - at < piece ? size - at : piece, &ear);
    if (data[0] & HALF_CLOSE) {
        (void)shutdown(client, SHUT_WR);
        for (int i = 0; i < 20; i++) {
            rig_turn(rig);
            hear(&ear, client);
        }
    }
    close(client);
    rig_quiet(rig);
    return 0;
}
