/*
 * The socket under OpenSSL: what the calls of one entry into tls_stream.c write goes out together, by one send(2).
 *
 * OpenSSL writes each record by itself, and tickets, and the alert at the end. Here they gather in a buffer of the thread, which is empty
 * whenever no function of tls_stream.c runs. What the socket does not take then is kept by the session, and comes first the next time. So OpenSSL never
 * hears that it has to wait, and no record has to be offered to it twice.
 *
 * Where the kernel encrypts (kTLS) OpenSSL must have the socket itself: then nothing gathers.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "os/tls_impl.h"

#define RECORD_WIRE_MAX (16384 + 256 + 5) /* RFC 8446 section 5.2 */
#define GATHER_MAX ((size_t)4 * RECORD_WIRE_MAX)

static _Thread_local struct {
    size_t n;
    char bytes[GATHER_MAX];
} gathered;

static BIO_METHOD *method;

/* ---- sending ---- */

/* How much of both; less: the socket takes no more now. Or -errno. */
static ssize_t send_both(const struct tls_wire *wire, struct str first, struct str second)
{
    int flags = MSG_NOSIGNAL | (wire->ending ? MSG_MORE : 0);
    size_t done = 0, all = first.n + second.n;

    while (done < all) {
        size_t at = done < first.n ? done : first.n;
        struct str a = str_cut(first, at, first.n), b = str_cut(second, done - at, second.n);
        struct iovec iov[2] = { { (void *)(uintptr_t)a.p, a.n }, { (void *)(uintptr_t)b.p, b.n } };
        struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
        ssize_t r = sendmsg(wire->fd, &msg, flags);

        if (r >= 0)
            done += (size_t)r;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return -errno;
    }
    return (ssize_t)done;
}

/* Behind what is kept already. */
static int keep(struct tls_wire *wire, struct str s)
{
    char *unsent;

    if (s.n == 0)
        return 0;
    unsent = mem_try_realloc(wire->unsent, wire->n + s.n);
    if (unsent == NULL)
        return -ENOMEM;
    memcpy(unsent + wire->n, s.p, s.n);
    wire->unsent = unsent;
    wire->n += s.n;
    return 0;
}

/* The buffer is the next one's from here on: what it held is used before anybody calls OpenSSL again. */
static struct str take_gathered(void)
{
    struct str s = str_make(gathered.bytes, gathered.n);

    gathered.n = 0;
    return s;
}

int tls_wire_hold(struct tls_wire *wire)
{
    return keep(wire, take_gathered());
}

static void drop_unsent(struct tls_wire *wire)
{
    mem_free(wire->unsent);
    wire->unsent = NULL;
    wire->n = wire->at = 0;
}

int tls_wire_flush(struct tls_wire *wire)
{
    struct str fresh = take_gathered();
    struct str kept = wire->n > 0 ? str_make(wire->unsent + wire->at, wire->n - wire->at) : STR("");
    size_t old = kept.n;
    ssize_t r = send_both(wire, kept, fresh);
    int error;

    if (r < 0)
        return (int)r;
    wire->blocked = (size_t)r < old + fresh.n;
    wire->at += (size_t)r < old ? (size_t)r : old;
    error = keep(wire, str_cut(fresh, (size_t)r < old ? 0 : (size_t)r - old, fresh.n));
    if (wire->blocked)
        return error != 0 ? error : -EAGAIN;
    drop_unsent(wire);
    return 0;
}

bool tls_wire_has_room(void)
{
    return gathered.n + RECORD_WIRE_MAX <= GATHER_MAX;
}

size_t tls_wire_unsent(const struct tls_wire *wire)
{
    return wire->n - wire->at;
}

void tls_wire_fini(struct tls_wire *wire)
{
    drop_unsent(wire);
}

/* ---- what OpenSSL calls ---- */

/* Room there is for whatever is written at a time but for answers to many key updates, whose number is bounded. */
static int wire_write(BIO *bio, const char *p, int n)
{
    struct tls_wire *wire = BIO_get_data(bio);

    if ((size_t)n > GATHER_MAX - gathered.n && (tls_wire_hold(wire) != 0 || (size_t)n > GATHER_MAX)) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(gathered.bytes + gathered.n, p, (size_t)n);
    gathered.n += (size_t)n;
    return n;
}

static int wire_read(BIO *bio, char *p, int n)
{
    struct tls_wire *wire = BIO_get_data(bio);
    ssize_t got;

    BIO_clear_retry_flags(bio);
    do
        got = recv(wire->fd, p, (size_t)n, 0);
    while (got < 0 && errno == EINTR);
    wire->drained = got < n;
    wire->ended = got == 0;
    if (got < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    return (int)got;
}

static long wire_control(BIO *bio, int command, long number, void *p)
{
    const struct tls_wire *wire = BIO_get_data(bio);

    (void)number;
    (void)p;
    switch (command) {
    case BIO_CTRL_FLUSH: /* by whoever has called OpenSSL, when it is through */
        return 1;
    case BIO_CTRL_EOF:
        return wire->ended;
    default:
        return 0;
    }
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    must(method != NULL && BIO_meth_set_write(method, wire_write) == 1 && BIO_meth_set_read(method, wire_read) == 1 &&
         BIO_meth_set_ctrl(method, wire_control) == 1);
}

bool tls_wire_init(struct tls_wire *wire, SSL *ssl, int fd)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *bio;

    must(pthread_once(&once, make_method) == 0);
    bio = BIO_new(method);
    if (bio == NULL)
        return false;
    wire->fd = fd;
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return true;
}
