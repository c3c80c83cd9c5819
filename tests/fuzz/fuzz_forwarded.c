/*
 * What proxies say: each piece lies inside the field, reading ends, and an address that is found is one.
 */
#include <arpa/inet.h>
#include <stdint.h>

#include "http/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct str in, struct str piece)
{
    must(piece.p == NULL || (piece.p >= in.p && piece.p + piece.n <= in.p + in.n));
}

static void check_node(struct str in, struct forwarded_node node)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    check_inside(in, node.address);
    must(node.address.n < sizeof(text));
    memcpy(text, node.address.p, node.address.n);
    text[node.address.n] = '\0';
    must(inet_pton(str_find(node.address, ':') < 0 ? AF_INET : AF_INET6, text, &ignored) == 1);
}

static void check_forwarded(struct str in)
{
    struct str rest = in;
    struct forwarded_element e;
    struct forwarded_node node;
    size_t left = in.n + 1;

    while (forwarded_next(&rest, &e) == 1) {
        must(rest.n < left);
        left = rest.n;
        check_inside(in, e.node);
        check_inside(in, e.proto);
        check_inside(in, e.host);
        if (forwarded_node_parse(e.node, &node))
            check_node(e.node, node);
    }
}

static void check_list(struct str in)
{
    struct str rest = in, member;
    struct forwarded_node node;

    while (forwarded_member(&rest, &member)) {
        must(member.n > 0);
        check_inside(in, member);
        if (forwarded_node_parse(member, &node))
            check_node(member, node);
        if (forwarded_viewer_parse(member, &node))
            check_node(member, node);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_make((const char *)data, size);

    if (size == 0)
        return 0;
    check_forwarded(in);
    check_list(in);
    return 0;
}
