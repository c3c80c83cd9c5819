/*
 * Quintet's own small pages: errors and refusals, as HTML, JSON or text after Accept, with the request id and never a version.
 */
#include <string.h>

#include "base/buf.h"
#include "edge/edge_process.h"
#include "edge/error_pages.h"
#include "edge/handler/handlers.h"

#define PAGE_MAX 4096

struct page {
    struct str body;
    size_t sent;
};

/* The first of our forms that Accept names; browsers name text/html, programs application/json, others get text. */
static enum page_form choose_form(const struct exchange *ex, bool *named)
{
    struct str rest = ex->bytes == NULL ? STR("") : exchange_field(ex, HTTP_F_ACCEPT);

    *named = true;
    while (rest.p != NULL) {
        struct str part = str_split(&rest, ',');
        struct str type = str_trim(str_split(&part, ';'));

        if (str_eq_nocase(type, STR("text/html")) || str_eq_nocase(type, STR("application/xhtml+xml")))
            return PAGE_HTML;
        if (str_eq_nocase(type, STR("application/json")))
            return PAGE_JSON;
        if (str_eq_nocase(type, STR("text/plain")))
            return PAGE_TEXT;
    }
    *named = false;
    return PAGE_TEXT;
}

static int write_html(struct buf *b, unsigned status, struct str reason, struct str detail, struct str id)
{
    return buf_printf(b,
                      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
                      "content=\"width=device-width\">\n"
                      "<title>%u " STR_FMT "</title>\n"
                      "<style>body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34rem;padding:0 "
                      "1rem;color:#222;background:#fff}"
                      "h1{font-size:1.4rem}small{color:#777}@media(prefers-color-scheme:dark){body{color:#ddd;"
                      "background:#161616}}</style>\n"
                      "<h1>%u " STR_FMT "</h1>\n%s" STR_FMT "%s<p><small>Request " STR_FMT "</small></p>\n</html>\n",
                      status, STR_ARG(reason), status, STR_ARG(reason), detail.n > 0 ? "<p>" : "", STR_ARG(detail),
                      detail.n > 0 ? "</p>\n" : "", STR_ARG(id));
}

static int write_json(struct buf *b, unsigned status, struct str reason, struct str detail, struct str id)
{
    int error = buf_printf(b, "{\"status\": %u, \"error\": ", status);

    if (error == 0)
        error = buf_add_json(b, reason);
    if (error == 0)
        error = buf_add_str(b, STR(", \"detail\": "));
    if (error == 0)
        error = buf_add_json(b, detail);
    if (error == 0)
        error = buf_add_str(b, STR(", \"request_id\": "));
    if (error == 0)
        error = buf_add_json(b, id);
    return error != 0 ? error : buf_add_str(b, STR("}\n"));
}

static int write_text(struct buf *b, unsigned status, struct str reason, struct str detail, struct str id)
{
    return buf_printf(b, "%u " STR_FMT "%s" STR_FMT "\nRequest " STR_FMT "\n", status, STR_ARG(reason),
                      detail.n > 0 ? "\n" : "", STR_ARG(detail), STR_ARG(id));
}

/* Every detail text is our own; ids from trusted proxies could hold markup. */
static struct str escaped_id(struct exchange *ex)
{
    for (size_t i = 0; i < ex->id.n; i++) {
        if (strchr("<>&'", ex->id.p[i]) != NULL)
            return STR("");
    }
    return ex->id;
}

static void page_head(struct exchange *ex, enum page_form form)
{
    static const struct str types[] = {
        [PAGE_TEXT] = STR_INIT("text/plain; charset=utf-8"),
        [PAGE_HTML] = STR_INIT("text/html; charset=utf-8"),
        [PAGE_JSON] = STR_INIT("application/json"),
    };

    exchange_add(ex, STR("Content-Type"), types[form]);
    exchange_add(ex, STR("Cache-Control"), STR("no-store"));
    if (ex->response.status == 503)
        exchange_add(ex, STR("Retry-After"),
                     arena_printf(&ex->arena, "%u", ex->retry_after != 0 ? (unsigned)ex->retry_after : 1));
    if (ex->response.status == 405 && !exchange_has(ex, STR("Allow")))
        exchange_add(ex, STR("Allow"), STR("GET, HEAD"));
}

void page_text(struct exchange *ex, struct str text)
{
    struct page *page = arena_zalloc(&ex->arena, sizeof(*page));

    must(page != NULL);
    page->body = text;
    ex->handler = &page_handler;
    ex->state = page;
    ex->response.length = (int64_t)text.n;
}

/* The site's own page for this; who names no form takes any. */
static const struct error_page *find_own(const struct exchange *ex, enum page_form form, bool named)
{
    const struct error_pages *pages = ex->route != NULL && !ex->watch ? ex->route->pages : NULL;
    const struct error_page *page = error_pages_find(pages, ex->response.status, form);

    if (page == NULL && !named)
        page = error_pages_find(pages, ex->response.status, PAGE_HTML);
    if (page == NULL && !named)
        page = error_pages_find(pages, ex->response.status, PAGE_JSON);
    return page;
}

/* False: there is none, or no memory for it. */
static bool begin_own(struct exchange *ex, enum page_form form, bool named)
{
    const struct error_page *page = find_own(ex, form, named);
    unsigned status = ex->response.status;
    struct page_values values = { .reason = http_reason(status), .request_id = ex->id };

    if (page == NULL || arena_reserve(&ex->arena, error_page_room(page) + EXCHANGE_PAGE_ROOM) != 0)
        return false;
    values.status = arena_printf(&ex->arena, "%u", status);
    page_head(ex, page->form);
    page_text(ex, error_page_fill(page, &values, &ex->arena));
    return true;
}

static void begin_ours(struct exchange *ex, enum page_form form, struct str detail)
{
    static int (*const writers[])(struct buf *, unsigned, struct str, struct str, struct str) = {
        [PAGE_TEXT] = write_text,
        [PAGE_HTML] = write_html,
        [PAGE_JSON] = write_json,
    };
    unsigned status = ex->response.status;
    struct buf b = { .data = arena_alloc(&ex->arena, PAGE_MAX + 1),
                     .cap = PAGE_MAX,
                     .max = PAGE_MAX }; /* never grows */

    must(b.data != NULL);
    if (writers[form](&b, status, http_reason(status), detail, escaped_id(ex)) != 0)
        buf_clear(&b);
    page_head(ex, form);
    page_text(ex, buf_str(&b));
}

void page_begin(struct exchange *ex, struct str detail)
{
    bool named;
    enum page_form form = choose_form(ex, &named);

    if (!begin_own(ex, form, named))
        begin_ours(ex, form, detail);
    exchange_ready(ex);
}

static enum piece_kind page_peek(struct exchange *ex, struct piece *piece)
{
    struct page *page = ex->state;

    if (page->sent == page->body.n)
        return PIECE_END;
    piece->iov[0] = (struct iovec){ (void *)(page->body.p + page->sent), page->body.n - page->sent };
    piece->n_iov = 1;
    piece->size = page->body.n - page->sent;
    return PIECE_DATA;
}

static void page_consume(struct exchange *ex, size_t n)
{
    struct page *page = ex->state;

    page->sent += n;
}

const struct handler page_handler = { .name = "page", .peek = page_peek, .consume = page_consume };

static enum piece_kind empty_peek(struct exchange *ex, struct piece *piece)
{
    (void)ex;
    (void)piece;
    return PIECE_END;
}

const struct handler empty_handler = { .name = "empty", .peek = empty_peek };

static void refusal_start(struct exchange *ex)
{
    exchange_respond(ex, ex->refusal.status);
    for (unsigned i = 0; i < ex->refusal.n_fields; i++)
        exchange_add(ex, ex->refusal.fields[i].name, ex->refusal.fields[i].value);
    page_begin(ex, ex->refusal.detail);
}

const struct handler refusal_handler = { .name = "refusal", .start = refusal_start };
