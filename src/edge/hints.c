/* Links of pages, remembered. */
#include "edge/hints.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "edge/handler/handlers.h"
#include "http/link.h"

struct hint {
    char *text; /* key and links, one behind the other; owned; NULL: no page */
    uint16_t key_n, links_n;
};

struct hints {
    struct hash_seed seed; /* clients choose the paths */
    struct hint pages[HINTS_MAX];
};

struct hints *hints_new(void)
{
    struct hints *hints = mem_try_zalloc(sizeof(*hints));

    if (hints != NULL)
        hash_seed_random(&hints->seed);
    return hints;
}

void hints_free(struct hints *hints)
{
    if (hints == NULL)
        return;
    for (size_t i = 0; i < HINTS_MAX; i++)
        mem_free(hints->pages[i].text);
    mem_free(hints);
}

static void forget(struct hint *page)
{
    mem_free(page->text);
    memset(page, 0, sizeof(*page));
}

/* Host and path; a host has no slash. Empty: too long to be remembered. */
static struct str make_key(const struct exchange *ex, char key[HINTS_KEY_MAX])
{
    struct str path = exchange_path(ex);

    if (ex->server_name.n + path.n > HINTS_KEY_MAX)
        return str_make(key, 0);
    memcpy(key, ex->server_name.p, ex->server_name.n);
    memcpy(key + ex->server_name.n, path.p, path.n);
    return str_make(key, ex->server_name.n + path.n);
}

static size_t place_of(const struct hints *hints, struct str key)
{
    return hash_str(&hints->seed, key) % HINTS_MAX;
}

static bool is_page_of(const struct hint *page, struct str key)
{
    return page->text != NULL && str_eq(str_make(page->text, page->key_n), key);
}

/* ---- learning ---- */

struct facts {
    bool html, personal;
    size_t n;
    char links[HINTS_LINK_MAX];
};

static void add_link(struct facts *f, struct str link)
{
    size_t more = link.n + (f->n > 0 ? 2 : 0);

    if (f->n + more > sizeof(f->links))
        return;
    if (f->n > 0)
        memcpy(f->links + f->n, ", ", 2);
    memcpy(f->links + f->n + more - link.n, link.p, link.n);
    f->n += more;
}

static void note_links(struct facts *f, struct str list)
{
    struct str link;

    while (link_next(&list, &link)) {
        if (link_is_early(link))
            add_link(f, link);
    }
}

static void note_field(struct facts *f, const struct header *field)
{
    struct str value = field->value;

    switch (http_field_lookup(field->name)) {
    case HTTP_F_SET_COOKIE:
        f->personal = true;
        break;
    case HTTP_F_CACHE_CONTROL:
        f->personal |= http_list_has(value, STR("private")) || http_list_has(value, STR("no-store"));
        break;
    case HTTP_F_VARY:
        f->personal |= http_list_has(value, STR("cookie")) || http_list_has(value, STR("authorization")) ||
                       http_list_has(value, STR("*"));
        break;
    case HTTP_F_CONTENT_TYPE:
        f->html = str_eq_nocase(str_trim(str_split(&value, ';')), STR("text/html"));
        break;
    default:
        if (str_eq_nocase(field->name, STR("link")))
            note_links(f, value);
        break;
    }
}

/* Whether what this exchange answers says anything about the page as everybody sees it. */
static bool is_about_page(const struct exchange *ex)
{
    return ex->routed == &app_handler && ex->head.method == HTTP_GET && ex->response.status != 304 &&
           ex->head.query.len == 0 && exchange_field(ex, HTTP_F_AUTHORIZATION).p == NULL;
}

static void remember(struct hint *page, struct str key, const struct facts *f)
{
    char *text = mem_try_alloc(key.n + f->n);

    forget(page);
    if (text == NULL)
        return;
    memcpy(text, key.p, key.n);
    memcpy(text + key.n, f->links, f->n);
    *page = (struct hint){ text, (uint16_t)key.n, (uint16_t)f->n };
}

void hints_learn(struct hints *hints, const struct exchange *ex)
{
    char room[HINTS_KEY_MAX];
    struct facts f;
    struct hint *page;
    struct str key;

    if (hints == NULL || !is_about_page(ex))
        return;
    f.html = f.personal = false;
    f.n = 0;
    key = make_key(ex, room);
    page = &hints->pages[place_of(hints, key)];
    for (uint32_t i = 0; i < ex->response.n_fields; i++)
        note_field(&f, &ex->response.fields[i]);
    if (ex->response.status != 200 || !f.html || f.personal || f.n == 0) {
        if (is_page_of(page, key))
            forget(page);
        return;
    }
    if (!is_page_of(page, key) || !str_eq(str_make(page->text + page->key_n, page->links_n), str_make(f.links, f.n)))
        remember(page, key, &f);
}

/* ---- telling ---- */

/* A person goes to a page: browsers say so, or ask for HTML. Nothing else is helped by hints. */
static bool is_navigation(const struct exchange *ex)
{
    static const char name[] = "sec-fetch-mode";

    for (uint32_t i = 0; i < ex->head.n_fields; i++) {
        const struct http_field *field = &ex->head.fields[i];

        if (field->id == HTTP_F_OTHER &&
            str_eq_nocase(http_str(ex->bytes, field->name), str_make(name, sizeof(name) - 1)))
            return str_eq(http_str(ex->bytes, field->value), STR("navigate"));
    }
    return str_starts(exchange_field(ex, HTTP_F_ACCEPT), STR("text/html"));
}

struct str hints_for(const struct hints *hints, const struct exchange *ex)
{
    char room[HINTS_KEY_MAX];
    const struct hint *page;
    struct str key;

    if (hints == NULL || ex->handler != &app_handler || ex->head.method != HTTP_GET || !is_navigation(ex))
        return str_make(NULL, 0);
    key = make_key(ex, room);
    page = &hints->pages[place_of(hints, key)];
    return is_page_of(page, key) ? str_make(page->text + page->key_n, page->links_n) : str_make(NULL, 0);
}
