/* Reads, finds and fills in pages for errors. */
#include "edge/error_pages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* ---- names ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool error_page_name(struct str name, uint16_t *status, enum page_form *form)
{
    static const struct str extensions[PAGE_FORMS] = {
        [PAGE_TEXT] = STR_INIT(".txt"), [PAGE_HTML] = STR_INIT(".html"), [PAGE_JSON] = STR_INIT(".json")
    };
    struct str code = str_cut(name, 0, 3), extension = str_cut(name, 3, name.n);

    if (code.n < 3 || (code.p[0] != '4' && code.p[0] != '5'))
        return false;
    if (is_digit(code.p[1]) && is_digit(code.p[2]))
        *status = (uint16_t)((code.p[0] - '0') * 100 + (code.p[1] - '0') * 10 + (code.p[2] - '0'));
    else if (str_eq(str_cut(code, 1, 3), STR("xx")))
        *status = (uint16_t)(code.p[0] - '0');
    else
        return false;
    for (*form = 0; *form < PAGE_FORMS; (*form)++) {
        if (str_eq(extension, extensions[*form]))
            return true;
    }
    return false;
}

/* ---- reading ---- */

/* 0 and a text of the caller's; -EFBIG, -errno. */
static int read_text(int dir, const char *name, struct str *out)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error = 0;
    struct stat st;
    char *text;
    ssize_t n;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        error = -EINVAL;
    else if (st.st_size > ERROR_PAGE_MAX)
        error = -EFBIG;
    if (error == 0) {
        text = mem_alloc((size_t)st.st_size + 1);
        n = pread(fd, text, (size_t)st.st_size, 0);
        *out = str_make(text, n < 0 ? 0 : (size_t)n);
        if (n < 0) {
            error = -errno;
            mem_free(text);
        }
    }
    close(fd);
    return error;
}

static void left_out(struct log *log, const char *name, int error)
{
    log_event(log, LOG_WARNING, "an error page is left out", LOG_Z("page", name),
              LOG_Z("why", error == -EFBIG ? "it is longer than 64 KiB" : strerror(-error)));
}

static void take(struct error_pages *pages, int dir, const char *name, struct log *log)
{
    struct error_page page;
    int error;

    if (!error_page_name(str_of(name), &page.status, &page.form))
        return;
    error = pages->n == ERROR_PAGES_MAX ? -ENOSPC : read_text(dir, name, &page.text);
    if (error == 0)
        pages->pages[pages->n++] = page;
    else
        left_out(log, name, error);
}

struct error_pages *error_pages_read(int dir, struct log *log)
{
    struct error_pages *pages = mem_zalloc(sizeof(*pages));
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (list == NULL) {
        left_out(log, ".", -errno);
        if (fd >= 0)
            close(fd);
        return pages;
    }
    while ((entry = readdir(list)) != NULL)
        take(pages, dir, entry->d_name, log);
    closedir(list);
    return pages;
}

void error_pages_free(struct error_pages *pages)
{
    if (pages == NULL)
        return;
    for (uint32_t i = 0; i < pages->n; i++)
        mem_free((void *)pages->pages[i].text.p);
    mem_free(pages);
}

const struct error_page *error_pages_find(const struct error_pages *pages, unsigned status, enum page_form form)
{
    const struct error_page *of_class = NULL;

    for (uint32_t i = 0; pages != NULL && i < pages->n; i++) {
        const struct error_page *page = &pages->pages[i];

        if (page->form != form)
            continue;
        if (page->status == status)
            return page;
        if (page->status == status / 100)
            of_class = page;
    }
    return of_class;
}

/* ---- filling in ---- */

/* What the text up to "}}" names; NULL: nothing of ours. */
static const struct str *value_of(struct str name, const struct page_values *values)
{
    name = str_trim(name);
    if (str_eq(name, STR("status")))
        return &values->status;
    if (str_eq(name, STR("reason")))
        return &values->reason;
    return str_eq(name, STR("request_id")) ? &values->request_id : NULL;
}

/* Quotes and backslashes are in no value (a request id has none), so JSON and text need nothing. */
static char *put_value(char *out, struct str value, enum page_form form)
{
    for (size_t i = 0; i < value.n; i++) {
        const char *escaped = NULL;

        switch (form == PAGE_HTML ? value.p[i] : 'x') {
        case '<':
            escaped = "&lt;";
            break;
        case '>':
            escaped = "&gt;";
            break;
        case '&':
            escaped = "&amp;";
            break;
        case '\'':
            escaped = "&#39;";
            break;
        default:
            *out++ = value.p[i];
            continue;
        }
        memcpy(out, escaped, strlen(escaped));
        out += strlen(escaped);
    }
    return out;
}

/* The placeholder that the text begins with; its length, 0: none. */
static size_t hole(struct str text, const struct page_values *values, const struct str **value)
{
    size_t end = 2;

    if (text.n < 4 || text.p[0] != '{' || text.p[1] != '{')
        return 0;
    while (end + 1 < text.n && end < 32 && !(text.p[end] == '}' && text.p[end + 1] == '}'))
        end++;
    if (end + 1 >= text.n || text.p[end] != '}')
        return 0;
    *value = value_of(str_cut(text, 2, end), values);
    return *value != NULL ? end + 2 : 0;
}

size_t error_page_room(const struct error_page *page)
{
    return page->text.n + (size_t)ERROR_PAGE_HOLES * ERROR_PAGE_VALUE_MAX;
}

struct str error_page_fill(const struct error_page *page, const struct page_values *values, struct arena *arena)
{
    char *start = arena_alloc(arena, error_page_room(page)), *out = start;
    const struct str *value;
    unsigned holes = 0;

    for (size_t i = 0; start != NULL && i < page->text.n;) {
        size_t n = holes < ERROR_PAGE_HOLES ? hole(str_cut(page->text, i, page->text.n), values, &value) : 0;

        if (n == 0) {
            *out++ = page->text.p[i++];
            continue;
        }
        out = put_value(out, *value, page->form);
        holes++;
        i += n;
    }
    return str_make(start, start == NULL ? 0 : (size_t)(out - start));
}
