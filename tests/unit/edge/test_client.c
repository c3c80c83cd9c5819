/* Who the client is: what proxies say counts when they are trusted, and only then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "edge/client.h"
#include "fixture.h"

/* The rig's clients come by a unix socket, which is a trusted proxy as soon as there is any. */
static void with_fields(struct fixture *f, bool trusted, const char *fields)
{
    char request[4096];

    open_fixture(f, trusted ? "trusted_proxies" : NULL, trusted ? "10.0.0.0/8,192.0.2.1,2001:db8::/32" : NULL);
    (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: shop.test\r\n%s\r\n", fields);
    send_request(f, request);
}

static void finish(struct fixture *f, struct pool_ticket t)
{
    answer_hello(f, t);
    expect(f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(f);
}

static struct str var(const struct fixture *f, enum pool_var v)
{
    return f->request.vars[v];
}

static struct str field(const struct fixture *f, const char *name)
{
    for (uint32_t i = 0; i < f->request.n_fields; i++) {
        if (str_eq_nocase(f->request.fields[i].name, str_of(name)))
            return f->request.fields[i].value;
    }
    return str_make(NULL, 0);
}

static bool has_field(const struct fixture *f, const char *name)
{
    return field(f, name).p != NULL;
}

static void assert_says(const char *request, const char *what, struct str actual, const char *expected)
{
    if (!str_eq(actual, str_of(expected)))
        fail_msg("%s: %s is " STR_FMT " instead of %s", request, what, STR_ARG(actual), expected);
}

static void the_address_is_the_last_that_no_proxy_of_ours_has(void **state)
{
    static const struct {
        const char *fields, *address;
    } cases[] = {
        { "X-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7" },
        { "X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\n", "198.51.100.7" }, /* the left one anybody can write */
        { "X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.1.2.3, 192.0.2.1\r\n", "198.51.100.7" },
        { "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-For: 10.9.9.9\r\n",
          "198.51.100.7" },
        { "X-Forwarded-For: 10.0.0.5, 10.0.0.6\r\n", "10.0.0.5" }, /* all ours: a client of our own network */
        { "X-Forwarded-For: 2001:db9::1 , 2001:db8::1\r\n", "2001:db9::1" },
        { "X-Forwarded-For: ::ffff:10.0.0.1, 198.51.100.7, ::ffff:10.0.0.2\r\n", "198.51.100.7" },
        { "X-Forwarded-For: , ,198.51.100.7,, \r\n", "198.51.100.7" },
        { "X-Forwarded-For: 198.51.100.7, unknown\r\n", "" }, /* what is no address is not skipped over: nobody knows */
        { "X-Forwarded-For: 198.51.100.7, 1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6\r\n", "" },
        { "X-Forwarded-For: \r\n", "" },
        { "X-Forwarded-For: 6.6.6.6, unknown, 10.0.0.5, 10.0.0.6\r\n", "10.0.0.5" }, /* as far as is known */
        { "X-Forwarded-For: 198.51.100.7:1234, [2001:db8::5]:443\r\n", "198.51.100.7" },
        { "Forwarded: for=198.51.100.7\r\n", "198.51.100.7" },
        { "Forwarded: for=6.6.6.6, for=198.51.100.7, for=10.1.2.3;proto=http\r\n", "198.51.100.7" },
        { "Forwarded: for=6.6.6.6\r\nForwarded: For=\"[2001:db9::1]:4711\", for=\"[2001:db8::1]\"\r\n", "2001:db9::1" },
        { "Forwarded: for=198.51.100.7, for=_hidden\r\n", "" },
        { "Forwarded: for=198.51.100.7, for=unknown, for=10.0.0.9\r\n", "10.0.0.9" },
        { "Forwarded: proto=https\r\nX-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7" },
        { "Forwarded: for=198.51.100.7\r\nX-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.0.0.1\r\n", "198.51.100.7" },
        { "X-Real-IP: 198.51.100.7\r\n", "198.51.100.7" },
        { "X-Real-IP: 198.51.100.7\r\nX-Forwarded-For: 198.51.100.8\r\n", "198.51.100.8" },
        { "X-Real-IP: 198.51.100.7\r\nX-Real-IP: 198.51.100.8\r\n", "" },
        { "CF-Connecting-IP: 6.6.6.6\r\nX-Forwarded-For: 198.51.100.7\r\n",
          "198.51.100.7" }, /* no preset of that name */
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct pool_ticket t;

        with_fields(&f, true, cases[i].fields);
        t = rig_app_take(&f.app, 0, &f.request);
        if (!str_eq(var(&f, POOL_REMOTE_ADDR), str_of(cases[i].address)))
            fail_msg("%s gave " STR_FMT, cases[i].fields, STR_ARG(var(&f, POOL_REMOTE_ADDR)));
        finish(&f, t);
    }
}

static void the_scheme_is_the_proxys(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    with_fields(&f, true, "X-Forwarded-Proto: HTTPS\r\n");
    t = rig_app_take(&f.app, 0, &f.request);
    assert_true(str_eq(var(&f, POOL_SCHEME), STR("https")));
    assert_true(str_eq(var(&f, POOL_SERVER_PORT), STR("443")));
    finish(&f, t);
    with_fields(&f, false, "X-Forwarded-Proto: https\r\n");
    t = rig_app_take(&f.app, 0, &f.request);
    assert_true(str_eq(var(&f, POOL_SCHEME), STR("http")));
    assert_true(str_eq(var(&f, POOL_SERVER_PORT), STR("80")));
    finish(&f, t);
}

static void ids_of_strangers_and_odd_ones_are_replaced(void **state)
{
    static const struct {
        bool trusted;
        const char *id;
        bool kept;
    } cases[] = { { true, "abc-123", true },  { false, "abc-123", false }, { true, "a b", false },
                  { true, "a\"b", false },    { true, "a\\b", false },     { true, "\xc3\xa4", false },
                  { true, "<script>", true }, { true, "", false } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct pool_ticket t;
        char fields[256];

        (void)snprintf(fields, sizeof(fields), "X-Request-ID: %s\r\n", cases[i].id);
        with_fields(&f, cases[i].trusted, fields);
        t = rig_app_take(&f.app, 0, &f.request);
        assert_int_equal(str_eq(var(&f, POOL_REQUEST_ID), str_of(cases[i].id)), cases[i].kept);
        assert_true(cases[i].kept || var(&f, POOL_REQUEST_ID).n == EXCHANGE_ID_LEN);
        assert_false(has_field(&f, "X-Request-ID"));
        finish(&f, t);
    }
}

/* What proxies say about scheme, host and port. */
static void each_list_is_read_at_the_clients_place(void **state)
{
    static const struct {
        const char *fields, *scheme, *port, *chain;
    } cases[] = {
        { "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n", "https", "443", "1.1.1.1" },
        { "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.0.0.2\r\nX-Forwarded-Proto: http, https, http\r\n", "https", "443",
          "1.1.1.1, 10.0.0.2" },
        { "X-Forwarded-For: 6.6.6.6, 1.1.1.1\r\nX-Forwarded-Proto: https, http\r\n", "http", "80", "1.1.1.1" },
        { "X-Forwarded-For: 1.1.1.1, 10.0.0.2\r\nX-Forwarded-Proto: https\r\n", "https", "443", "1.1.1.1, 10.0.0.2" },
        { "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: http, https\r\n", "https", "443", "1.1.1.1" }, /* the last */
        { "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: gopher\r\n", "http", "80", "1.1.1.1" },
        { "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: wss\r\nX-Forwarded-Port: 8443\r\n", "https", "8443",
          "1.1.1.1" },
        { "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Port: 99999\r\n", "http", "80", "1.1.1.1" },
        { "Forwarded: for=1.1.1.1;proto=https, for=\"[2001:db8::2]\";proto=http\r\n", "https", "443",
          "1.1.1.1, 2001:db8::2" },
        { "Forwarded: for=1.1.1.1;proto=https\r\n", "https", "443", "1.1.1.1" },
        { "Forwarded: for=unknown;proto=https\r\n", "https", "443", "" },
        { "Forwarded: for=6.6.6.6;proto=https, for=1.1.1.1\r\n", "http", "80", "1.1.1.1" },
        { "X-Forwarded-For: 1.1.1.1\r\nForwarded: proto=https\r\n", "https", "443", "1.1.1.1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct pool_ticket t;

        with_fields(&f, true, cases[i].fields);
        t = rig_app_take(&f.app, 0, &f.request);
        assert_says(cases[i].fields, "scheme", var(&f, POOL_SCHEME), cases[i].scheme);
        assert_says(cases[i].fields, "port", var(&f, POOL_SERVER_PORT), cases[i].port);
        assert_says(cases[i].fields, "chain", field(&f, "X-Forwarded-For"), cases[i].chain);
        if (has_field(&f, "X-Forwarded-Proto"))
            assert_says(cases[i].fields, "proto", field(&f, "X-Forwarded-Proto"), cases[i].scheme);
        finish(&f, t);
    }
}

/* Nobody can tell which of the two the proxy wrote and which the client. */
static void contradictions_are_refused(void **state)
{
    static const char *const cases[] = {
        "Forwarded: for=1.1.1.1\r\nX-Forwarded-For: 1.1.1.2\r\n",
        "Forwarded: for=_hidden\r\nX-Forwarded-For: 1.1.1.2\r\n",
        "Forwarded: for=1.1.1.1\r\nX-Forwarded-For: unknown\r\n",
        "Forwarded: for=1.1.1.1;proto=https\r\nX-Forwarded-Proto: http\r\n",
        "Forwarded: for=1.1.1.1;host=a.test\r\nX-Forwarded-Host: b.test\r\n",
        "Forwarded: for=\", for=1.1.1.1\r\n",
        "Forwarded: for=1.1.1.1\r\nForwarded: for=\"x\r\n",
        "Forwarded: 1.1.1.1\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        char request[512];
        char *answer;

        open_fixture(&f, "trusted_proxies", "10.0.0.0/8");
        (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: shop.test\r\n%s\r\n", cases[i]);
        answer = rig_talk(&f.rig, f.client, request, strlen(request));
        if (strncmp(answer, "HTTP/1.1 400 ", 13) != 0)
            fail_msg("%s gave %s", cases[i], answer);
        mem_free(answer);
        close_fixture(&f);
    }
}

/* Cloudflare is met on the way, or it is not; what its own field says counts in the first case only. */
static void cdns_name_the_client(void **state)
{
    static const struct {
        const char *proxies, *fields, *address;
    } cases[] = {
        { "cloudflare", "X-Forwarded-For: 1.1.1.1, 173.245.48.1\r\nCF-Connecting-IP: 1.1.1.2\r\n", "1.1.1.2" },
        { "cloudflare", "X-Forwarded-For: 173.245.48.1\r\nCF-Connecting-IP: 2001:db8::1\r\n", "2001:db8::1" },
        { "cloudflare", "X-Forwarded-For: 6.6.6.6\r\nCF-Connecting-IP: 1.1.1.2\r\n", "6.6.6.6" },
        { "cloudflare", "X-Forwarded-For: 173.245.48.1, 6.6.6.6\r\nCF-Connecting-IP: 1.1.1.2\r\n", "6.6.6.6" },
        { "cloudflare", "X-Forwarded-For: 1.1.1.1, 2606:4700::1\r\nCF-Connecting-IP: x\r\n", "1.1.1.1" },
        { "173.245.48.0/20", "X-Forwarded-For: 1.1.1.1, 173.245.48.1\r\nCF-Connecting-IP: 1.1.1.2\r\n", "1.1.1.1" },
        { "private,cloudflare",
          "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 173.245.48.1, 10.0.0.1\r\nCF-Connecting-IP: 1.1.1.1\r\n", "1.1.1.1" },
        { "cloudfront", "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 130.176.0.1\r\n", "1.1.1.1" },
        { "cloudfront", "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 130.176.0.1\r\nCloudFront-Viewer-Address: 1.1.1.1:4711\r\n",
          "1.1.1.1" },
        { "cloudfront", "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 130.176.0.1\r\nCloudFront-Viewer-Address: 6.6.6.6:4711\r\n",
          "1.1.1.1" },
        { "private", "X-Forwarded-For: 1.1.1.1, 127.0.0.1, 192.168.7.7, fe80::1, fd00::1\r\n", "1.1.1.1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct pool_ticket t;
        char request[512];

        open_fixture(&f, "trusted_proxies", cases[i].proxies);
        (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: shop.test\r\n%s\r\n", cases[i].fields);
        t = send_and_take(&f, request);
        assert_says(cases[i].fields, "client", var(&f, POOL_REMOTE_ADDR), cases[i].address);
        finish(&f, t);
    }
}

static void the_host_is_a_known_one(void **state)
{
    static const struct {
        const char *options, *host, *fields, *given;
    } cases[] = {
        { "", "shop.test", "", "shop.test" },
        { "", "shop.test:8000", "", "shop.test:8000" },
        { "", "SHOP.test.", "", "SHOP.test." },
        { "", "a.b.test", "", "a.b.test" },
        { "", "[2001:db8::1]:8000", "", "[2001:db8::1]:8000" },
        { "", "backend:8000", "X-Forwarded-Host: shop.test\r\n", "shop.test" },
        { "", "backend:8000", "Forwarded: host=shop.test\r\n", "shop.test" },
        { "", "backend", "X-Forwarded-Host: b.test:8443\r\n", "b.test:8443" },
        { "", "shop.test", "X-Forwarded-Host: b.test\r\n", "shop.test" }, /* anybody may have written it */
        { "|use_x_forwarded_host=yes", "shop.test", "X-Forwarded-Host: b.test\r\n", "b.test" },
        { "|use_x_forwarded_host=yes", "shop.test", "", "shop.test" },
        { "|use_x_forwarded_host=yes", "shop.test", "X-Forwarded-Host: evil.test\r\n", NULL },
        { "", "backend", "", NULL },
        { "", "backend", "X-Forwarded-Host: evil.test\r\n", NULL },
        { "", "backend", "X-Forwarded-Host: shop.test/x\r\n", NULL },
        { "", "xshop.test", "", NULL },
        { "", "shop.test.evil.test", "", NULL },
        { "|allowed_hosts=*", "evil.test", "X-Forwarded-Host: b.test\r\n", "evil.test" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        char request[512], options[256];
        struct pool_ticket t;

        (void)snprintf(options, sizeof(options), "10.0.0.0/8|allowed_hosts=shop.test,.b.test,[2001:db8::1]%s",
                       cases[i].options);
        open_fixture(&f, "trusted_proxies", options);
        (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n", cases[i].host,
                       cases[i].fields);
        if (cases[i].given == NULL) {
            char *answer = rig_talk(&f.rig, f.client, request, strlen(request));

            if (strncmp(answer, "HTTP/1.1 400 ", 13) != 0)
                fail_msg("%s gave %s", request, answer);
            mem_free(answer);
            close_fixture(&f);
            continue;
        }
        t = send_and_take(&f, request);
        assert_says(request, "Host", field(&f, "Host"), cases[i].given);
        assert_false(has_field(&f, "X-Forwarded-Host"));
        finish(&f, t);
    }
}

/* Files are no exception; the health check is. */
static void unknown_hosts_get_nothing(void **state)
{
    static const struct {
        const char *path, *status;
    } cases[] = { { "/", "400" }, { "/static/a.css", "400" }, { "/media/x", "400" }, { "/up", "200" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        char request[128];
        char *answer;

        open_fixture(&f, "allowed_hosts", "shop.test|health_path=/up|ssl_redirect=yes");
        rig_file(&f.rig, "static/a.css", "a");
        (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: evil.test\r\n\r\n", cases[i].path);
        answer = rig_talk(&f.rig, f.client, request, strlen(request));
        if (strncmp(answer + 9, cases[i].status, 3) != 0)
            fail_msg("%s gave %s", cases[i].path, answer);
        mem_free(answer);
        close_fixture(&f);
    }
}

static void http_leads_to_https(void **state)
{
    static const struct {
        const char *options, *request, *location;
    } cases[] = {
        { "", "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n", "\r\nLocation: https://shop.test/\r\n" },
        { "", "POST /a%20b?c=d&e HTTP/1.1\r\nHost: shop.test:8000\r\nContent-Length: 0\r\n\r\n",
          "\r\nLocation: https://shop.test:8000/a%20b?c=d&e\r\n" },
        { "", "HEAD //evil.test/ HTTP/1.1\r\nHost: shop.test\r\n\r\n",
          "\r\nLocation: https://shop.test//evil.test/\r\n" },
        { "|ssl_host=www.shop.test", "GET /static/a.css HTTP/1.1\r\nHost: shop.test\r\n\r\n",
          "\r\nLocation: https://www.shop.test/static/a.css\r\n" },
        { "", "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-Proto: http\r\n\r\n",
          "\r\nLocation: https://shop.test/\r\n" },
        { "", "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-Proto: https\r\n\r\n", NULL },
        { "|proxy_ssl_header=X-Secure: on", "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Secure: on\r\n\r\n", NULL },
        { "|proxy_ssl_header=X-Secure: on",
          "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Secure: off\r\nX-Forwarded-Proto: https\r\n\r\n",
          "\r\nLocation: https://shop.test/\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        char options[256];
        char *answer;

        (void)snprintf(options, sizeof(options), "10.0.0.0/8|ssl_redirect=yes%s", cases[i].options);
        open_fixture(&f, "trusted_proxies", options);
        answer = rig_talk(&f.rig, f.client, cases[i].request, strlen(cases[i].request));
        if (cases[i].location == NULL) {
            assert_string_equal(answer, ""); /* it is with the application */
            mem_free(answer);
            finish(&f, rig_app_take(&f.app, 0, &f.request));
            continue;
        }
        if (strncmp(answer, "HTTP/1.1 301 ", 13) != 0 || strstr(answer, cases[i].location) == NULL)
            fail_msg("%s gave %s", cases[i].request, answer);
        mem_free(answer);
        close_fixture(&f);
    }
}

static void what_passes_on(void **state)
{
    static const struct {
        const char *field, *name;
        bool from_strangers, from_proxies;
    } cases[] = {
        { "Cookie: a=b\r\n", "Cookie", true, true },
        { "X-Forwarded-For: 1.1.1.1\r\n", "X-Forwarded-For", false, true },
        { "x-forwarded-anything: 1\r\n", "X-Forwarded-Anything", false, true },
        { "X-Forwarded-Host: 1.1.1.1\r\n", "X-Forwarded-Host", false, false },
        { "X-Forwarded-Port: 1\r\n", "X-Forwarded-Port", false, false },
        { "Forwarded: for=1.1.1.1\r\n", "Forwarded", false, false },
        { "X-Real-IP: 1.1.1.1\r\n", "X-Real-IP", false, true },
        { "X-Real-IP: 1.1.1.1\r\nX-Forwarded-For: 1.1.1.2\r\n", "X-Real-IP", false, false },
        { "True-Client-IP: 1.1.1.1\r\n", "True-Client-IP", false, false },
        { "True-Client-IP: 1.1.1.1\r\nX-Forwarded-For: 1.1.1.1\r\n", "True-Client-IP", false, true },
        { "CF-Connecting-IP: 1.1.1.1\r\nX-Forwarded-For: 1.1.1.1\r\n", "CF-Connecting-IP", false, true },
        { "CF-Connecting-IP: 1.1.1.1\r\nX-Forwarded-For: 1.1.1.2\r\n", "CF-Connecting-IP", false, false },
        { "CF-IPCountry: FR\r\n", "CF-IPCountry", false, true },
        { "CloudFront-Viewer-Address: 1.1.1.1:4\r\nX-Forwarded-For: 1.1.1.1\r\n", "CloudFront-Viewer-Address", false,
          true },
        { "CloudFront-Is-Mobile-Viewer: true\r\n", "CloudFront-Is-Mobile-Viewer", false, true },
        { "X-Client-IP: 1.1.1.1\r\n", "X-Client-IP", false, false },
        { "X-Scheme: https\r\n", "X-Scheme", false, true },
        { "X-Schemes: https\r\n", "X-Schemes", true, true },
        { "Client-Cert: :MII=:\r\n", "Client-Cert", false, true },
        { "Client-Cert-Chain: :MII=:\r\n", "Client-Cert-Chain", false, true },
        { "SSL-Client-Verify: SUCCESS\r\n", "SSL-Client-Verify", false, true },
        { "X-SSL-Client-S-DN: CN=anna\r\n", "X-SSL-Client-S-DN", false, true },
        { "X-Client-Verify: SUCCESS\r\n", "X-Client-Verify", false, true },
        { "X-Amzn-Mtls-Clientcert-Subject: CN=anna\r\n", "X-Amzn-Mtls-Clientcert-Subject", false, true },
        { "X-Client-Version: 7\r\n", "X-Client-Version", true, true },
        { "Sec-Fetch-Mode: cors\r\n", "Sec-Fetch-Mode", true, true },
        { "CF: x\r\n", "CF", true, true },
        { "X_Forwarded_For: 1.1.1.1\r\n", "X_Forwarded_For", false, false },
        { "Proxy: x\r\n", "Proxy", false, false },
        { "Keep-Alive: 5\r\n", "Keep-Alive", false, false },
        { "TE: trailers\r\n", "TE", false, false },
        { "Upgrade: h2c\r\nConnection: upgrade\r\n", "Upgrade", false, false },
        { "Connection: close, X-Hop\r\nX-Hop: 1\r\n", "X-Hop", false, false },
        { "Connection: close, Host, X-Forwarded-For\r\n", "Host", true, true },
        { "Proxy-Authorization: x\r\n", "Proxy-Authorization", false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int trusted = 0; trusted < 2; trusted++) {
            struct fixture f;
            struct pool_ticket t;

            with_fields(&f, trusted, cases[i].field);
            t = rig_app_take(&f.app, 0, &f.request);
            if (has_field(&f, cases[i].name) != (trusted ? cases[i].from_proxies : cases[i].from_strangers))
                fail_msg("%s from %s", cases[i].field, trusted ? "a proxy" : "a stranger");
            finish(&f, t);
        }
    }
}

/* The field that the settings believe is as good as X-Forwarded-Proto: strangers may not write it. */
static void the_settings_own_field_is_for_proxies(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, "proxy_ssl_header", "X-Secure: on");
    t = send_and_take(&f, "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Secure: on\r\nX-Secured: on\r\n\r\n");
    assert_true(str_eq(var(&f, POOL_SCHEME), STR("http")));
    assert_false(has_field(&f, "X-Secure"));
    assert_true(has_field(&f, "X-Secured"));
    finish(&f, t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_is_the_last_that_no_proxy_of_ours_has),
        cmocka_unit_test(the_scheme_is_the_proxys),
        cmocka_unit_test(each_list_is_read_at_the_clients_place),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(cdns_name_the_client),
        cmocka_unit_test(the_host_is_a_known_one),
        cmocka_unit_test(unknown_hosts_get_nothing),
        cmocka_unit_test(http_leads_to_https),
        cmocka_unit_test(ids_of_strangers_and_odd_ones_are_replaced),
        cmocka_unit_test(what_passes_on),
        cmocka_unit_test(the_settings_own_field_is_for_proxies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
