/* HTTP/2 sessions over nghttp2. */
#include "http/h2.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>

#include "base/bins.h"
#include "base/mem.h"
#include "http/hpack.h"

#define QUEUE_MAX 300 /* frames of ours waiting: past it no input is looked at; three for each stream */
#define ACKS_MAX 500  /* of them, answers to PING and SETTINGS: for the library, which is never to see so many */
#define SEND_FIELDS_MAX (512u << 10) /* by the library's generous estimate of a response's fields */
#define FIELDS_MAX 320               /* of a response, :status included */
#define SMALL 128                    /* bytes of DATA: fewer are counted */
#define EARN_BYTES 512               /* of a body sent earn a WINDOW_UPDATE */
#define FRAME_HEAD 9
#define NO_LIMIT UINT64_MAX

struct h2_session {
    nghttp2_session *session; /* owned */
    const struct h2_events *events;
    void *arg;
    struct h2_guards guards;
    uint64_t now;
    struct h2_head *head;           /* of the header block that is arriving; NULL: trailers, or a stream refused */
    uint32_t block;                 /* decoded bytes of it */
    struct buf *out;                /* while h2_output runs */
    const struct h2_answer *answer; /* whose head the library is about to give */
    struct hpack hpack;
    enum h2_guard abuse;
    bool abused;  /* for `abuse` the connection ends */
    bool refused; /* it ends, for that or for what the library would have let pass: nothing is heard any more */
    bool cut_off; /* a request was reset before the client had said all of it: the rest may still be on its way */
};

/* ---- the end, for the client's faults ---- */

static void refuse(struct h2_session *s, uint32_t code)
{
    s->refused = true;
    (void)nghttp2_session_terminate_session(s->session, code);
}

static void end_for(struct h2_session *s, enum h2_guard guard)
{
    if (s->refused)
        return;
    s->abused = true;
    s->abuse = guard;
    refuse(s, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void spend(struct h2_session *s, enum h2_guard guard)
{
    if (!h2_guard_spend(&s->guards, guard, s->now))
        end_for(s, guard);
}

/* ---- what arrives ---- */

/* A stream that was passed over, or is closed and the client knows it (RFC 9113 5.1, 5.1.1). The library reads over what comes for it, as
 * that may be the rest of a request that we reset. */
static bool is_gone(struct h2_session *s, int32_t id)
{
    return !s->cut_off && id % 2 == 1 && id <= nghttp2_session_get_last_proc_stream_id(s->session) &&
           nghttp2_session_find_stream(s->session, id) == NULL;
}

/* Not another byte of what was read already: it is not worth a microsecond of ours. */
static int go_on(const struct h2_session *s)
{
    return s->refused ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *arg)
{
    struct h2_session *s = arg;

    (void)session;
    if (hd->type == NGHTTP2_PRIORITY && hd->stream_id == 0) /* 6.3 */
        refuse(s, NGHTTP2_PROTOCOL_ERROR);
    else if (hd->type == NGHTTP2_HEADERS && is_gone(s, hd->stream_id))
        refuse(s, NGHTTP2_PROTOCOL_ERROR);
    else if (hd->type == NGHTTP2_PRIORITY || hd->type == NGHTTP2_PRIORITY_UPDATE)
        spend(s, H2_GUARD_PRIORITY); /* here, as the library says nothing of those it ignores */
    else if (hd->type > NGHTTP2_CONTINUATION)
        spend(s, H2_GUARD_UNKNOWN);
    return go_on(s);
}

/* A frame of unknown type: the library asks, so that on_begin_frame hears of it. */
static int on_unknown(nghttp2_session *session, void **payload, const nghttp2_frame_hd *hd, void *arg)
{
    (void)session;
    (void)payload;
    (void)hd;
    (void)arg;
    return NGHTTP2_ERR_CANCEL;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct h2_session *s = arg;
    void *stream;

    s->head = NULL;
    s->block = 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST || s->refused)
        return 0;
    stream = s->events->begin(s->arg, frame->hd.stream_id, &s->head);
    if (stream != NULL) {
        (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
        return 0;
    }
    s->head = NULL;
    h2_reset(s, frame->hd.stream_id, H2_REFUSED_STREAM);
    spend(s, H2_GUARD_REFUSED);
    return 0;
}

static struct str str_of_rcbuf(nghttp2_rcbuf *buf)
{
    nghttp2_vec vec = nghttp2_rcbuf_get_buf(buf);

    return str_make((const char *)vec.base, vec.len);
}

/* What is decoded is counted whoever it is for: it is our time. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                     uint8_t flags, void *arg)
{
    struct h2_session *s = arg;
    struct str n = str_of_rcbuf(name), v = str_of_rcbuf(value);
    uint32_t before = s->block;

    (void)session;
    (void)frame;
    (void)flags;
    s->block += (uint32_t)(n.n + v.n + 1);
    if (s->block > H2_BOMB)
        end_for(s, H2_GUARD_HEADERS);
    else if (s->block > HTTP_HEAD_MAX && before <= HTTP_HEAD_MAX)
        spend(
            s,
            H2_GUARD_HEADERS); /* a hundred bytes may become as many as these: they take the time of thousands of requests */
    if (s->head != NULL && !s->refused)
        h2_head_field(s->head, n, v);
    return go_on(s);
}

/* A field the library does not let pass and would only leave out (RFC 9113 8.2.1: malformed). */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                             nghttp2_rcbuf *value, uint8_t flags, void *arg)
{
    (void)session;
    (void)frame;
    (void)name;
    (void)value;
    (void)flags;
    (void)arg;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void headers_received(struct h2_session *s, const nghttp2_frame *frame, void *stream)
{
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST && s->head != NULL) {
        h2_head_end(s->head, end);
        s->head = NULL;
        s->events->head(stream, end);
    } else if (end) {
        s->events->end(stream); /* trailers: nobody asks for them */
    }
}

static void data_received(struct h2_session *s, const nghttp2_frame *frame, void *stream)
{
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        if (stream != NULL)
            s->events->end(stream);
    } else if (frame->hd.length <= frame->data.padlen) {
        spend(s, H2_GUARD_EMPTY);
    } else if (frame->hd.length - frame->data.padlen < SMALL) {
        spend(s, H2_GUARD_SMALL);
    }
}

static void ping_received(struct h2_session *s, const nghttp2_frame *frame)
{
    if (frame->hd.flags & NGHTTP2_FLAG_ACK)
        s->events->ponged(s->arg);
    else
        spend(s, H2_GUARD_PING);
}

static void settings_received(struct h2_session *s, const nghttp2_frame *frame)
{
    if (frame->hd.flags & NGHTTP2_FLAG_ACK)
        return;
    spend(s, H2_GUARD_SETTINGS);
    for (size_t i = 0; i < frame->settings.niv; i++) {
        if (frame->settings.iv[i].settings_id == NGHTTP2_SETTINGS_HEADER_TABLE_SIZE)
            hpack_limit(&s->hpack, frame->settings.iv[i].value);
    }
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct h2_session *s = arg;
    void *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    if (s->refused)
        return go_on(s);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        if (stream != NULL)
            headers_received(s, frame, stream);
        break;
    case NGHTTP2_DATA:
        data_received(s, frame, stream);
        break;
    case NGHTTP2_RST_STREAM:
        spend(s, H2_GUARD_RESET);
        break;
    case NGHTTP2_PING:
        ping_received(s, frame);
        break;
    case NGHTTP2_GOAWAY:
        spend(s, H2_GUARD_SETTINGS);
        break;
    case NGHTTP2_SETTINGS:
        settings_received(s, frame);
        break;
    case NGHTTP2_PRIORITY_UPDATE:
        if (((const nghttp2_ext_priority_update *)frame->ext.payload)->stream_id == 0)
            refuse(s, NGHTTP2_PROTOCOL_ERROR); /* RFC 9218 7.1 */
        break;
    case NGHTTP2_WINDOW_UPDATE:
        spend(s, H2_GUARD_WINDOW);
        break;
    default:
        break;
    }
    return go_on(s);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *arg)
{
    struct h2_session *s = arg;
    void *stream = nghttp2_session_get_stream_user_data(session, id);

    (void)flags;
    if (stream != NULL && !s->refused)
        s->events->data(stream, (const char *)p, n);
    else
        h2_took(s, id, n); /* dropped, but the connection's window is everybody's */
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
    struct h2_session *s = arg;
    void *stream = nghttp2_session_get_stream_user_data(session, id);

    (void)code;
    if (stream != NULL)
        s->events->closed(stream);
    return 0;
}

/* ---- what is sent ---- */

static ssize_t on_pull(nghttp2_session *session, int32_t id, uint8_t *room, size_t max, uint32_t *flags,
                       nghttp2_data_source *source, void *arg)
{
    struct h2_session *s = arg;
    void *stream = nghttp2_session_get_stream_user_data(session, id);
    bool last = false;
    ssize_t n;

    (void)room;
    (void)source;
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (s->out->len >= H2_OUT_ROOM)
        return NGHTTP2_ERR_PAUSE;
    n = s->events->pull(stream, max < H2_FRAME_MAX ? max : H2_FRAME_MAX, &last);
    if (n < 0)
        return n == -EAGAIN ? NGHTTP2_ERR_DEFERRED : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY | (last ? NGHTTP2_DATA_FLAG_EOF : 0);
    return n;
}

static int on_take(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t n,
                   nghttp2_data_source *source, void *arg)
{
    struct h2_session *s = arg;
    void *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct buf *out = s->out;

    (void)source;
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (buf_try_reserve(out, FRAME_HEAD + n) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (n > 0 && s->events->take(stream, out->data + out->len + FRAME_HEAD, n) != 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    memcpy(out->data + out->len, head, FRAME_HEAD);
    buf_commit(out, FRAME_HEAD + n);
    h2_guard_earn(&s->guards, H2_GUARD_WINDOW, n / EARN_BYTES);
    return 0;
}

/* A reset is the client's fault but for what we decide ourselves. */
static bool is_clients_fault(uint32_t code)
{
    switch (code) {
    case NGHTTP2_NO_ERROR:
    case NGHTTP2_INTERNAL_ERROR:
    case NGHTTP2_REFUSED_STREAM:
    case NGHTTP2_CANCEL:
        return false;
    default:
        return true;
    }
}

static void reset_sent(struct h2_session *s, int32_t id, uint32_t code)
{
    if (nghttp2_session_get_stream_remote_close(s->session, id) == 0)
        s->cut_off = true;
    if (code == NGHTTP2_FLOW_CONTROL_ERROR && !s->refused)
        refuse(s, code); /* 6.9.2: by SETTINGS it is the connection's; nobody needs the difference */
    else if (is_clients_fault(code))
        spend(s, H2_GUARD_ERROR);
}

/*
 * A head that stands for an answer: see h2_respond. Of a stream that was forgotten nothing is known, and no head of it goes, not even an interim
 * one: the library may have said a new size of the table (RFC 7541 4.2) in a stand-in that was dropped before, and will not say it again.
 */
static int before_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct h2_session *s = arg;
    void *stream;

    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_CANCEL;
    if ((frame->headers.nva[0].flags & NGHTTP2_NV_FLAG_NO_INDEX) == 0)
        s->answer = s->events->answer(stream);
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct h2_session *s = arg;
    void *stream;

    switch (frame->hd.type) {
    case NGHTTP2_RST_STREAM:
        reset_sent(s, frame->hd.stream_id, frame->rst_stream.error_code);
        break;
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        if (stream != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
            s->events->said(stream);
        break;
    default:
        break;
    }
    return 0;
}

/* A response's head that the library cannot send: nothing of that stream will come. */
static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int error, void *arg)
{
    (void)session;
    (void)error;
    if (frame->hd.type == NGHTTP2_HEADERS)
        h2_reset(arg, frame->hd.stream_id, H2_INTERNAL_ERROR);
    return 0;
}

/* ---- life ---- */

static void set_callbacks(nghttp2_session_callbacks *cb)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(cb, on_begin_frame);
    nghttp2_session_callbacks_set_unpack_extension_callback(cb, on_unknown);
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(cb, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(cb, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(cb, on_take);
    nghttp2_session_callbacks_set_before_frame_send_callback(cb, before_frame_send);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(cb, on_frame_not_send);
}

static void set_options(nghttp2_option *option)
{
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
    nghttp2_option_set_max_send_header_block_length(option, SEND_FIELDS_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, NO_LIMIT, NO_LIMIT); /* ours tells why */
    nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
    for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= UINT8_MAX; type++) {
        if (type != NGHTTP2_PRIORITY_UPDATE)
            nghttp2_option_set_user_recv_extension_type(option, (uint8_t)type);
    }
}

/* No Server Push, no extended CONNECT: what is not said is off. */
static int say_settings(struct h2_session *s)
{
    static const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_WINDOW },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX },
        { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 }, /* RFC 9218 2.1 */
    };
    int error = nghttp2_submit_settings(s->session, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings));

    return error != 0 ? error
                      : nghttp2_session_set_local_window_size(s->session, NGHTTP2_FLAG_NONE, 0, (int32_t)H2_WINDOW_ALL);
}

static void *lib_malloc(size_t size, void *bins)
{
    return bins_alloc(bins, size);
}

static void *lib_calloc(size_t n, size_t size, void *bins)
{
    return bins_calloc(bins, n, size);
}

static void *lib_realloc(void *p, size_t size, void *bins)
{
    return bins_realloc(bins, p, size);
}

static void lib_free(void *p, void *bins)
{
    bins_free(bins, p);
}

static int make_session(struct h2_session *s, struct bins *memory)
{
    nghttp2_mem mem = { memory, lib_malloc, lib_free, lib_calloc, lib_realloc };
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int error = nghttp2_session_callbacks_new(&callbacks);

    if (error == 0)
        error = nghttp2_option_new(&option);
    if (error == 0) {
        set_callbacks(callbacks);
        set_options(option);
        error = nghttp2_session_server_new3(&s->session, callbacks, s, option, &mem);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return error;
}

struct h2_session *h2_new(const struct h2_events *events, void *arg, struct bins *memory)
{
    struct h2_session *s = mem_try_zalloc(sizeof(*s));

    if (s == NULL)
        return NULL;
    s->events = events;
    s->arg = arg;
    hpack_init(&s->hpack);
    if (make_session(s, memory) == 0 && say_settings(s) == 0)
        return s;
    h2_free(s);
    return NULL;
}

void h2_free(struct h2_session *s)
{
    nghttp2_session_del(s->session);
    mem_free(s);
}

int h2_input(struct h2_session *s, const char *p, size_t n, uint64_t now)
{
    ssize_t used;

    s->now = now;
    used = nghttp2_session_mem_recv(s->session, (const uint8_t *)p, n);
    if (used == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS)
        end_for(s, H2_GUARD_HEADERS);
    else if (used == NGHTTP2_ERR_FLOODED)
        end_for(s, H2_GUARD_PING);
    if (s->abused)
        return -EDQUOT;
    if (used == NGHTTP2_ERR_NOMEM)
        return -ENOMEM;
    return used < 0 || s->refused ? -EPROTO : 0;
}

/* The frame's head with our own block behind it. */
static int add_answer(struct h2_session *s, const uint8_t *frame)
{
    const struct h2_answer *answer = s->answer;
    struct buf *out = s->out;
    size_t n;

    s->answer = NULL;
    if (buf_try_reserve(out, FRAME_HEAD + hpack_bound(answer->fields, answer->n)) != 0)
        return NGHTTP2_ERR_NOMEM;
    n = hpack_encode(&s->hpack, answer->status, answer->fields, answer->n, out->data + out->len + FRAME_HEAD);
    memcpy(out->data + out->len, frame, FRAME_HEAD);
    out->data[out->len] = 0;
    out->data[out->len + 1] = (char)(n >> 8);
    out->data[out->len + 2] = (char)n;
    buf_commit(out, FRAME_HEAD + n);
    return (int)n;
}

/* A frame as the library made it. */
static int add_frame(struct h2_session *s, const uint8_t *p, size_t n)
{
    if (buf_try_reserve(s->out, n) != 0 || buf_add(s->out, p, n) != 0)
        return NGHTTP2_ERR_NOMEM;
    return (int)n;
}

int h2_output(struct h2_session *s, struct buf *out, uint64_t now)
{
    const uint8_t *p;
    ssize_t n = 1;

    s->now = now;
    s->out = out;
    while (n > 0 && out->len < H2_OUT_ROOM) {
        n = nghttp2_session_mem_send(s->session, &p);
        if (n > 0)
            n = s->answer != NULL ? add_answer(s, p) : add_frame(s, p, (size_t)n);
    }
    s->out = NULL;
    if (n < 0)
        return -ENOMEM;
    return s->abused ? -EDQUOT : 0;
}

enum h2_guard h2_abuse(const struct h2_session *s)
{
    return s->abuse;
}

bool h2_is_over(const struct h2_session *s)
{
    return nghttp2_session_want_read(s->session) == 0 && nghttp2_session_want_write(s->session) == 0;
}

bool h2_is_stuffed(const struct h2_session *s)
{
    return nghttp2_session_get_outbound_queue_size(s->session) > QUEUE_MAX;
}

/* ---- a response ---- */

static nghttp2_nv make_nv(struct str name, struct str value)
{
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name.p,
                         .namelen = name.n,
                         .value = (uint8_t *)(uintptr_t)value.p,
                         .valuelen = value.n,
                         .flags = NGHTTP2_NV_FLAG_NO_INDEX };
}

/* The library copies them and makes the names lower case. Its table of sent fields is not used: there is another (hpack.h), and a client has but
 * one. `digits` must live as long as `nva`. */
static size_t fill_nva(nghttp2_nv nva[FIELDS_MAX], char digits[3], const struct h2_answer *answer)
{
    size_t filled = 1;

    digits[0] = (char)('0' + answer->status / 100 % 10);
    digits[1] = (char)('0' + answer->status / 10 % 10);
    digits[2] = (char)('0' + answer->status % 10);
    nva[0] = make_nv(STR(":status"), str_make(digits, 3));
    for (size_t i = 0; i < answer->n && filled < FIELDS_MAX; i++)
        nva[filled++] = make_nv(answer->fields[i].name, answer->fields[i].value);
    return filled;
}

int h2_interim(struct h2_session *s, int32_t id, const struct h2_answer *answer)
{
    nghttp2_nv nva[FIELDS_MAX];
    char digits[3];
    size_t n = fill_nva(nva, digits, answer);

    return nghttp2_submit_headers(s->session, NGHTTP2_FLAG_NONE, id, NULL, nva, n, NULL) == 0 ? 0 : -ENOMEM;
}

/* The library counts, orders and sends the head, but what is sent is ours: a ":status: 200" stands in for it until add_answer. */
static int respond_by_stand_in(struct h2_session *s, int32_t id, const nghttp2_data_provider *provider)
{
    nghttp2_nv nv = make_nv(STR(":status"), STR("200"));

    nv.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    return nghttp2_submit_response(s->session, id, &nv, 1, provider) == 0 ? 0 : -ENOMEM;
}

/* One that fills more than a frame goes by the library, without any table. */
static int respond_at_length(struct h2_session *s, int32_t id, const struct h2_answer *answer,
                             const nghttp2_data_provider *provider)
{
    nghttp2_nv nva[FIELDS_MAX];
    char digits[3];
    size_t n = fill_nva(nva, digits, answer);

    return nghttp2_submit_response(s->session, id, nva, n, provider) == 0 ? 0 : -ENOMEM;
}

int h2_respond(struct h2_session *s, int32_t id, const struct h2_answer *answer)
{
    nghttp2_data_provider provider = { .read_callback = on_pull }, *body = answer->body ? &provider : NULL;

    if (hpack_bound(answer->fields, answer->n) > H2_FRAME_MAX)
        return respond_at_length(s, id, answer, body);
    return respond_by_stand_in(s, id, body);
}

void h2_resume(struct h2_session *s, int32_t id)
{
    (void)nghttp2_session_resume_data(s->session, id);
}

void h2_reset(struct h2_session *s, int32_t id, enum h2_code code)
{
    (void)nghttp2_submit_rst_stream(s->session, NGHTTP2_FLAG_NONE, id, (uint32_t)code);
}

void h2_took(struct h2_session *s, int32_t id, size_t n)
{
    (void)nghttp2_session_consume(s->session, id, n);
}

void h2_forget(struct h2_session *s, int32_t id)
{
    (void)nghttp2_session_set_stream_user_data(s->session, id, NULL);
}

/* ---- the end ---- */

void h2_notice(struct h2_session *s)
{
    (void)nghttp2_submit_shutdown_notice(s->session);
}

void h2_ping(struct h2_session *s)
{
    (void)nghttp2_submit_ping(s->session, NGHTTP2_FLAG_NONE, NULL);
}

void h2_goaway(struct h2_session *s, enum h2_code code)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(s->session);

    (void)nghttp2_submit_goaway(s->session, NGHTTP2_FLAG_NONE, last, (uint32_t)code, NULL, 0);
}
