/*
 * Requests that must be refused, each with its status and the rule it breaks, replayed however the bytes may be cut.
 * `RFC 9112 x` is the section; `smuggling` names the class of attack (CL.TE, TE.CL, TE.TE, CL.CL and kin) that the row
 * closes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay.h"

#define H "Host: a.example\r\n"
#define END "\r\n"
#define GET "GET / HTTP/1.1\r\n" H
#define POST "POST / HTTP/1.1\r\n" H
#define BYTES(literal) STR_INIT(literal)

struct refusal {
    struct str bytes;
    unsigned status;
    const char *rule;
};

static const struct refusal refusals[] = {
    /* ---- the request line ---- */
    { BYTES(" GET / HTTP/1.1\r\n" H END), 400, "RFC 9112 3: a request line begins with the method" },
    { BYTES("\tGET / HTTP/1.1\r\n" H END), 400, "RFC 9112 3" },
    { BYTES("\nGET / HTTP/1.1\r\n" H END), 400, "RFC 9112 2.2: a lone LF before the request" },
    { BYTES("\r\n\r\n\r\nGET / HTTP/1.1\r\n" H END), 400, "RFC 9112 2.2: more than two empty lines" },
    { BYTES("\rGET / HTTP/1.1\r\n" H END), 400, "RFC 9112 2.2: bare CR" },
    { BYTES("\0GET / HTTP/1.1\r\n" H END), 400, "RFC 9110 5.6.2: NUL in a method" },
    { BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400, "a TLS hello on a plain port, at its first byte" },
    { BYTES("\x80\x2e\x01\x03\x01"), 400, "an SSL 2 hello" },
    { BYTES("GET  / HTTP/1.1\r\n" H END), 400, "RFC 9112 3: single SP between the parts" },
    { BYTES("GET /  HTTP/1.1\r\n" H END), 400, "RFC 9112 3" },
    { BYTES("GET\t/ HTTP/1.1\r\n" H END), 400, "RFC 9112 3: HTAB is no SP" },
    { BYTES("GET /\tHTTP/1.1\r\n" H END), 400, "RFC 9112 3" },
    { BYTES("GET\v/ HTTP/1.1\r\n" H END), 400, "RFC 9112 3: VT as a space" },
    { BYTES("GET / HTTP/1.1 \r\n" H END), 400, "RFC 9112 3: trailing space" },
    { BYTES("GET / HTTP/1.1\t\r\n" H END), 400, "RFC 9112 3" },
    { BYTES("GET / HTTP/1.1\n" H END), 400, "RFC 9112 2.2: a lone LF ends the request line" },
    { BYTES("GET / HTTP/1.1X\n" H END), 400, "RFC 9112 2.2: any byte in the place of CR" },
    { BYTES("GET / HTTP/1.1 \n" H END), 400, "RFC 9112 2.2: any byte in the place of CR" },
    { BYTES("GET / HTTP/1.1\r\r\n" H END), 400, "RFC 9112 2.2: bare CR" },
    { BYTES("GET / HTTP/1.1\r" H END), 400, "RFC 9112 2.2: bare CR" },
    { BYTES("GET /\r\n" H END), 400, "HTTP/0.9 has long gone" },
    { BYTES("GET\r\n" H END), 400, "RFC 9112 3: no target" },
    { BYTES("GET \r\n" H END), 400, "RFC 9112 3: no target" },
    { BYTES("GET HTTP/1.1\r\n" H END), 400, "RFC 9112 3: no target" },
    { BYTES("GET  HTTP/1.1\r\n" H END), 400, "RFC 9112 3: empty target" },
    { BYTES("G\xc3\x89T / HTTP/1.1\r\n" H END), 400, "RFC 9110 9.1: a method is a token" },
    { BYTES("G(T / HTTP/1.1\r\n" H END), 400, "RFC 9110 9.1" },
    { BYTES("GET: / HTTP/1.1\r\n" H END), 400, "RFC 9110 9.1" },
    { BYTES("\"GET\" / HTTP/1.1\r\n" H END), 400, "RFC 9110 9.1" },
    { BYTES("CONNECT a.example:443 HTTP/1.1\r\n" H END), 501, "RFC 9110 9.3.6: no proxy" },
    { BYTES("TRACE / HTTP/1.1\r\n" H END), 405, "RFC 9110 9.3.8: reflects cookies (XST)" },

    /* ---- the version ---- */
    { BYTES("GET / HTTP/0.9\r\n" H END), 505, "RFC 9110 15.6.6" },
    { BYTES("GET / HTTP/1.2\r\n" H END), 505, "RFC 9110 15.6.6" },
    { BYTES("GET / HTTP/2.0\r\n" H END), 505, "RFC 9110 15.6.6" },
    { BYTES("GET / HTTP/3.0\r\n" H END), 505, "RFC 9110 15.6.6" },
    { BYTES("GET / HTTP/9.9\r\n" H END), 505, "RFC 9110 15.6.6" },
    { BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, "RFC 9113 3.4: the HTTP/2 preface" },
    { BYTES("GET / HTTP/11\r\n" H END), 400, "RFC 9112 2.3: DIGIT \".\" DIGIT" },
    { BYTES("GET / HTTP/1.10\r\n" H END), 400, "RFC 9112 2.3" },
    { BYTES("GET / HTTP/01.1\r\n" H END), 400, "RFC 9112 2.3" },
    { BYTES("GET / HTTP/1,1\r\n" H END), 400, "RFC 9112 2.3" },
    { BYTES("GET / HTTP/1.\r\n" H END), 400, "RFC 9112 2.3" },
    { BYTES("GET / HTTP/1.x\r\n" H END), 400, "RFC 9112 2.3" },
    { BYTES("GET / HTTP/ 1.1\r\n" H END), 400, "RFC 9112 2.3" },
    { BYTES("GET / http/1.1\r\n" H END), 400, "RFC 9112 2.3: case-sensitive" },
    { BYTES("GET / HTTPS/1.1\r\n" H END), 400, "RFC 9112 2.3" },
    { BYTES("GET / ICY/1.1\r\n" H END), 400, "RFC 9112 2.3" },
    { BYTES("GET / HTTP/1.1 HTTP/1.1\r\n" H END), 400, "RFC 9112 3: a space in the target" },

    /* ---- the target ---- */
    { BYTES("GET a HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2: no form of target" },
    { BYTES("GET ?q HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2" },
    { BYTES("GET * HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2.4: \"*\" is for OPTIONS" },
    { BYTES("OPTIONS ** HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2.4" },
    { BYTES("OPTIONS *?a HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2.4" },
    { BYTES("GET a.example:80 HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2.3: authority form is for CONNECT" },
    { BYTES("GET /a b HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2: a space in the target" },
    { BYTES("GET /a\0b HTTP/1.1\r\n" H END), 400, "RFC 3986 3.3: NUL" },
    { BYTES("GET /a\x01"
            "b HTTP/1.1\r\n" H END),
      400, "RFC 3986 3.3: control" },
    { BYTES("GET /a\x7f HTTP/1.1\r\n" H END), 400, "RFC 3986 3.3: DEL" },
    { BYTES("GET /a\rb HTTP/1.1\r\n" H END), 400, "RFC 9112 2.2: bare CR" },
    { BYTES("GET /a\nHost: evil HTTP/1.1\r\n" H END), 400, "RFC 9112 2.2: lone LF, header injection" },
    { BYTES("GET /a%00b HTTP/1.1\r\n" H END), 400, "an encoded NUL" },
    { BYTES("GET /%%00 HTTP/1.1\r\n" H END), 400, "an encoded NUL behind a percent sign of its own" },
    { BYTES("GET http://a.example/%00?q HTTP/1.1\r\n" H END), 400, "an encoded NUL, absolute form" },
    { BYTES("GET /a#b HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2.1: a fragment is never sent" },
    { BYTES("GET ftp://a.example/ HTTP/1.1\r\n" H END), 400, "RFC 9110 4.2: scheme" },
    { BYTES("GET http:/a.example/ HTTP/1.1\r\n" H END), 400, "RFC 9110 4.2.1" },
    { BYTES("GET http:// HTTP/1.1\r\n" H END), 400, "RFC 9110 4.2.1: empty host" },
    { BYTES("GET http:///path HTTP/1.1\r\n" H END), 400, "RFC 9110 4.2.1: empty host" },
    { BYTES("GET http://?q HTTP/1.1\r\n" H END), 400, "RFC 9110 4.2.1: empty host" },
    { BYTES("GET http://user@a.example/ HTTP/1.1\r\n" H END), 400, "RFC 9110 4.2.4: userinfo" },
    { BYTES("GET http://a.example:x/ HTTP/1.1\r\n" H END), 400, "RFC 3986 3.2.3: port" },
    { BYTES("GET http://a.example\\b/ HTTP/1.1\r\n" H END), 400, "RFC 3986 3.2.2: backslash in the authority" },
    { BYTES("GET http://b.example/ HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2.2: Host differs (routing confusion)" },
    { BYTES("GET http://a.example:81/ HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2.2: port differs" },
    { BYTES("GET https://a.example:80/ HTTP/1.1\r\n" H END), 400, "RFC 9112 3.2.2: port differs" },
    { BYTES("GET http://a.example/ HTTP/1.1\r\n" END), 400, "RFC 9112 3.2: no Host, absolute form or not" },

    /* ---- Host ---- */
    { BYTES("GET / HTTP/1.1\r\n" END), 400, "RFC 9112 3.2: no Host" },
    { BYTES("GET / HTTP/1.1\r\nHosts: a\r\n" END), 400, "RFC 9112 3.2: no Host" },
    { BYTES(GET H END), 400, "RFC 9112 3.2: Host twice, equal" },
    { BYTES(GET "hOST: b.example\r\n" END), 400, "RFC 9112 3.2: Host twice" },
    { BYTES("GET / HTTP/1.0\r\n" H H END), 400, "RFC 9112 3.2: Host twice on 1.0" },
    { BYTES("GET / HTTP/1.1\r\nHost:\r\n" END), 400, "RFC 9110 7.2: empty Host for an http URI" },
    { BYTES("GET / HTTP/1.1\r\nHost: a.example, b.example\r\n" END), 400, "RFC 9110 7.2: no list" },
    { BYTES("GET / HTTP/1.1\r\nHost: a b\r\n" END), 400, "RFC 3986 3.2.2" },
    { BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n" END), 400, "RFC 3986 3.2.2" },
    { BYTES("GET / HTTP/1.1\r\nHost: a\\b\r\n" END), 400, "RFC 3986 3.2.2" },
    { BYTES("GET / HTTP/1.1\r\nHost: u@a.example\r\n" END), 400, "RFC 9110 4.2.4: userinfo" },
    { BYTES("GET / HTTP/1.1\r\nHost: a.example:99999\r\n" END), 400, "RFC 3986 3.2.3: port past 65535" },
    { BYTES("GET / HTTP/1.1\r\nHost: a.example:0\r\n" END), 400, "port 0" },
    { BYTES("GET / HTTP/1.1\r\nHost: a.example:80:80\r\n" END), 400, "RFC 3986 3.2.3" },
    { BYTES("GET / HTTP/1.1\r\nHost: a.example:-80\r\n" END), 400, "RFC 3986 3.2.3" },
    { BYTES("GET / HTTP/1.1\r\nHost: a%2eexample\r\n" END), 400, "percent-encoded host: two readings" },
    { BYTES("GET / HTTP/1.1\r\nHost: \xc3\xa9.example\r\n" END), 400, "RFC 3986 3.2.2: IDNs are sent as A-labels" },
    { BYTES("GET / HTTP/1.1\r\nHost: .example\r\n" END), 400, "would pass for any name below" },
    { BYTES("GET / HTTP/1.1\r\nHost: [::1\r\n" END), 400, "RFC 3986 3.2.2: IP-literal" },
    { BYTES("GET / HTTP/1.1\r\nHost: ::1\r\n" END), 400, "RFC 3986 3.2.2: IPv6 without brackets" },
    { BYTES("GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n" END), 400, "RFC 3986 3.2.2" },
    { BYTES("GET / HTTP/1.1\r\nHost: [::1%25lo]\r\n" END), 400, "RFC 6874: a zone is nobody else's business" },
    { BYTES("GET / HTTP/1.1\r\nHost: <script>\r\n" END), 400, "RFC 3986 3.2.2" },

    /* ---- field lines ---- */
    { BYTES(GET "A : b\r\n" END), 400, "RFC 9112 5.1: space before the colon (CVE-2019-16276)" },
    { BYTES(GET "A\t: b\r\n" END), 400, "RFC 9112 5.1" },
    { BYTES(POST "Content-Length : 5\r\n" END), 400, "smuggling: a length that some do not see" },
    { BYTES(POST "Transfer-Encoding : chunked\r\n" END), 400, "smuggling: TE.TE (CVE-2019-16869)" },
    { BYTES(GET "A: b\r\n c\r\n" END), 400, "RFC 9112 5.2: obs-fold" },
    { BYTES(GET "A: b\r\n\tc\r\n" END), 400, "RFC 9112 5.2: obs-fold" },
    { BYTES(POST "Transfer-Encoding:\r\n chunked\r\n" END), 400, "smuggling: TE behind a fold" },
    { BYTES("GET / HTTP/1.1\r\n " H END), 400, "RFC 9112 2.2: blank between start line and first field" },
    { BYTES(GET " \r\n" END), 400, "RFC 9112 5.2: a line of blanks is not the end" },
    { BYTES(GET ": b\r\n" END), 400, "RFC 9112 5: empty name (CVE-2023-25725)" },
    { BYTES(GET "novalue\r\n" END), 400, "RFC 9112 5: no colon" },
    { BYTES(GET "GET / HTTP/1.1\r\n" END), 400, "RFC 9112 5: a request line among the fields" },
    { BYTES(GET "A b: c\r\n" END), 400, "RFC 9110 5.1: space in a name" },
    { BYTES(GET "A\0: c\r\n" END), 400, "RFC 9110 5.1: NUL in a name" },
    { BYTES(GET "\x0b"
                "A: c\r\n" END),
      400, "RFC 9110 5.1: VT in a name" },
    { BYTES(GET "A\xa0: c\r\n" END), 400, "RFC 9110 5.1: obs-text in a name" },
    { BYTES(GET "A\"b: c\r\n" END), 400, "RFC 9110 5.1" },
    { BYTES(GET "A(b): c\r\n" END), 400, "RFC 9110 5.1" },
    { BYTES(GET "{A}: c\r\n" END), 400, "RFC 9110 5.1" },
    { BYTES(GET "A: b\0c\r\n" END), 400, "RFC 9110 5.5: NUL in a value" },
    { BYTES(GET "A: b\rc\r\n" END), 400, "RFC 9112 2.2: bare CR in a value (CVE-2023-30589)" },
    { BYTES(GET "A: b\rContent-Length: 5\r\n" END), 400, "smuggling: bare CR as a line end" },
    { BYTES(GET "A: b\nContent-Length: 5\r\n" END), 400, "smuggling: lone LF as a line end" },
    { BYTES(GET "A: b\r\r\n" END), 400, "RFC 9112 2.2: bare CR" },
    { BYTES(GET "A: b\n" END), 400, "RFC 9112 2.2: lone LF" },
    { BYTES(GET "\n"), 400, "RFC 9112 2.2: lone LF ends the head" },
    { BYTES(GET "X\n"), 400, "RFC 9112 2.2: any byte in the place of CR ends no head" },
    { BYTES(GET "A: bX\n" END), 400, "RFC 9112 2.2: any byte in the place of CR" },
    { BYTES(GET "\r\r\n"), 400, "RFC 9112 2.2: bare CR in the last line" },
    { BYTES(GET "A: \x01\r\n" END), 400, "RFC 9110 5.5: control" },
    { BYTES(GET "A: \x1b[31m\r\n" END), 400, "RFC 9110 5.5: an escape for somebody's terminal" },
    { BYTES(GET "A: \x7f\r\n" END), 400, "RFC 9110 5.5: DEL" },
    { BYTES(GET "A: \x0b\r\n" END), 400, "RFC 9110 5.5: VT is no blank" },
    { BYTES(GET "A: b\x0c\r\n" END), 400, "RFC 9110 5.5: FF is no blank" },

    /* ---- Content-Length ---- */
    { BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n" END), 400, "RFC 9112 6.3: smuggling CL.CL" },
    { BYTES(POST "Content-Length: 5\r\ncontent-length: 5\r\n" END), 400, "RFC 9112 6.3: equal ones too" },
    { BYTES(POST "Content-Length: 5, 5\r\n" END), 400, "RFC 9110 8.6: a list" },
    { BYTES(POST "Content-Length: 5,6\r\n" END), 400, "RFC 9110 8.6" },
    { BYTES(POST "Content-Length:\r\n" END), 400, "RFC 9110 8.6: empty" },
    { BYTES(POST "Content-Length: +5\r\n" END), 400, "RFC 9110 8.6: sign" },
    { BYTES(POST "Content-Length: -5\r\n" END), 400, "RFC 9110 8.6: sign" },
    { BYTES(POST "Content-Length: 0x5\r\n" END), 400, "RFC 9110 8.6: hex" },
    { BYTES(POST "Content-Length: 5 5\r\n" END), 400, "RFC 9110 8.6: space (CVE-2018-7159)" },
    { BYTES(POST "Content-Length: 5_0\r\n" END), 400, "RFC 9110 8.6: what Python's int() takes" },
    { BYTES(POST "Content-Length: 5.0\r\n" END), 400, "RFC 9110 8.6" },
    { BYTES(POST "Content-Length: 5e1\r\n" END), 400, "RFC 9110 8.6" },
    { BYTES(POST "Content-Length: \"5\"\r\n" END), 400, "RFC 9110 8.6" },
    { BYTES(POST "Content-Length: \xd9\xa5\r\n" END), 400, "RFC 9110 8.6: a digit in Unicode only" },
    { BYTES(POST "Content-Length: 9223372036854775808\r\n" END), 400, "RFC 9110 8.6: past 2^63-1" },
    { BYTES(POST "Content-Length: 18446744073709551616\r\n" END), 400, "RFC 9110 8.6: wraps to 0" },
    { BYTES(POST "Content-Length: 99999999999999999999999999\r\n" END), 400, "RFC 9110 8.6: overflow" },

    /* ---- Transfer-Encoding ---- */
    { BYTES(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END), 400, "RFC 9112 6.1: smuggling CL.TE" },
    { BYTES(POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n" END), 400, "RFC 9112 6.1: smuggling TE.CL" },
    { BYTES(POST "Transfer-Encoding: x\r\nContent-Length: 5\r\n" END), 400, "RFC 9112 6.1 (CVE-2024-1135)" },
    { BYTES("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n" END), 400, "RFC 9112 6.1: on HTTP/1.0" },
    { BYTES(POST "Transfer-Encoding: gzip, chunked\r\n" END), 501, "RFC 9112 6.1: unknown coding" },
    { BYTES(POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n" END), 501, "RFC 9112 6.1" },
    { BYTES(POST "Transfer-Encoding: identity, chunked\r\n" END), 501, "RFC 9112 6.1 (CVE-2024-6827)" },
    { BYTES(POST "Transfer-Encoding: gzip\r\n" END), 400, "RFC 9112 6.3: chunked is not last" },
    { BYTES(POST "Transfer-Encoding: identity\r\n" END), 400, "RFC 9112 6.3" },
    { BYTES(POST "Transfer-Encoding: chunked, identity\r\n" END), 400, "RFC 9112 6.3: chunked is not last" },
    { BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n" END), 400, "RFC 9112 6.3" },
    { BYTES(POST "Transfer-Encoding: chunked, chunked\r\n" END), 400, "RFC 9112 6.1: chunked twice" },
    { BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END), 400, "RFC 9112 6.1: TE.TE" },
    { BYTES(POST "Transfer-Encoding:\r\n" END), 400, "RFC 9112 6.1: empty" },
    { BYTES(POST "Transfer-Encoding: ,\r\n" END), 400, "RFC 9110 5.6.1: empty members" },
    { BYTES(POST "Transfer-Encoding: chunked,\r\n" END), 400, "RFC 9110 5.6.1: empty member" },
    { BYTES(POST "Transfer-Encoding: , chunked\r\n" END), 400, "RFC 9110 5.6.1: empty member" },
    { BYTES(POST "Transfer-Encoding: xchunked\r\n" END), 400, "smuggling: TE.TE by a substring" },
    { BYTES(POST "Transfer-Encoding: chunkedx\r\n" END), 400, "smuggling: TE.TE by a prefix" },
    { BYTES(POST "Transfer-Encoding: \"chunked\"\r\n" END), 400, "smuggling: TE.TE by quotes" },
    { BYTES(POST "Transfer-Encoding: chunked;q=1\r\n" END), 400, "RFC 9112 7: chunked has no parameter" },
    { BYTES(POST "Transfer-Encoding: chunked foo\r\n" END), 400, "RFC 9112 6.1" },
    { BYTES(POST "Transfer-Encoding: \x0b"
                 "chunked\r\n" END),
      400, "smuggling: TE.TE by VT" },
    { BYTES(POST "Transfer-Encoding: chunked\0\r\n" END), 400, "smuggling: TE.TE by NUL" },
    { BYTES(POST "Transfer-Encoding: chun\xc4\xb7"
                 "ed\r\n" END),
      400, "smuggling: TE.TE by case folding" },

    /* ---- the rest ---- */
    { BYTES(POST "Content-Length: 5\r\nExpect: 200-ok\r\n" END), 417, "RFC 9110 10.1.1" },
    { BYTES(POST "Content-Length: 5\r\nExpect: 100-continue, x\r\n" END), 417, "RFC 9110 10.1.1" },
    { BYTES(POST "Content-Length: 5\r\nExpect:\r\n" END), 417, "RFC 9110 10.1.1" },
    { BYTES(POST "Content-Type: a/b\r\nContent-Type: c/d\r\n" END), 400, "RFC 9110 5.3: sent once" },
    { BYTES(GET "Authorization: Basic a\r\nAuthorization: Basic b\r\n" END), 400, "RFC 9110 5.3: sent once" },
};

static const struct h1_limits limits = { 8192, 100, 16384 };

static void test_refusals(void **state)
{
    assert_true(ARRAY_LEN(refusals) >= 100);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *row = &refusals[i];
        struct replay r = replay_head(row->bytes, &limits, (unsigned)i);

        if (r.result != H1_ERROR || r.parser.status != row->status)
            fail_msg("row %zu: result %d, status %u (%s) instead of %u, %s:\n" STR_FMT, i, r.result, r.parser.status,
                     r.parser.reason ? r.parser.reason : "-", row->status, row->rule, STR_ARG(row->bytes));
        assert_non_null(r.parser.reason);
    }
}

/* What is certain to be wrong is refused at once: nobody waits for a line end that will not come. */
static void test_junk_is_refused_at_its_first_byte(void **state)
{
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        struct replay r = replay_head(str_make(&byte, 1), &limits, 0);
        bool may_begin = byte == '\r' || http_is_token(str_make(&byte, 1));

        assert_int_equal(r.result, may_begin ? H1_MORE : H1_ERROR);
    }
}

/* Values are scanned a word at a time: every byte at every place of more than two words. */
static void test_every_byte_at_every_place_of_a_value(void **state)
{
    static struct http_head head;
    char text[] = "GET / HTTP/1.0\r\nA: 0123456789abcdefghi\r\n\r\n";
    char *value = strstr(text, "0123");
    struct h1_parser parser;

    for (size_t i = 0; i < strlen("0123456789abcdefghi"); i++) {
        char kept = value[i];

        for (int c = 0; c < 256; c++) {
            bool text_byte = c == '\t' || (c >= ' ' && c != 0x7f);

            value[i] = (char)c;
            h1_head_begin(&parser, &limits, &head);
            if (h1_head_parse(&parser, text, sizeof(text) - 1, &head) != (text_byte ? H1_DONE : H1_ERROR))
                fail_msg("byte 0x%02x at %zu", (unsigned)c, i);
        }
        value[i] = kept;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_every_byte_at_every_place_of_a_value),
        cmocka_unit_test(test_junk_is_refused_at_its_first_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
