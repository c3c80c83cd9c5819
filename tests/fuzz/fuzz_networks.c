/*
 * Sets of networks: an input is networks, one a line, asked for the ends of each and their neighbours. The set knows what comparing bit by bit knows.
 */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "edge/networks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX 64

struct line {
    uint8_t address[ADDRESS_LEN];
    uint64_t bits;
    bool v4, all;
};

/* A second, plain reading of what networks_add has taken. Presets are its own: false. */
static bool read_line(struct str text, struct line *line)
{
    struct str rest = text, host = str_trim(str_split(&rest, '/'));

    memset(line, 0, sizeof(*line));
    line->all = str_eq(text, STR("*"));
    if (line->all)
        return true;
    if (!address_of_text(host, line->address))
        return false;
    line->v4 = str_find(host, ':') < 0;
    line->bits = line->v4 ? 32 : 128;
    if (rest.p != NULL)
        must(str_to_u64(rest, line->bits, &line->bits) == 0);
    line->bits += line->v4 ? 96 : 0;
    return true;
}

static bool line_has(const struct line *line, const uint8_t address[ADDRESS_LEN])
{
    bool inside_v4 = line->bits >= 96 && address_is_v4(line->address);

    if (line->all)
        return true;
    if (address_is_v4(address) && !inside_v4)
        return false;
    for (uint64_t i = 0; i < line->bits; i++) {
        if (((line->address[i / 8] ^ address[i / 8]) >> (7 - i % 8) & 1) != 0)
            return false;
    }
    return true;
}

static void ask(const struct networks *set, const struct line *lines, size_t n, const uint8_t address[ADDRESS_LEN])
{
    bool expected = false;

    for (size_t i = 0; i < n && !expected; i++)
        expected = line_has(&lines[i], address);
    must(networks_have(set, address) == expected);
}

/* First and last address of the network, the one before and the one behind. */
static void ask_around(const struct networks *set, const struct line *lines, size_t n, const struct line *line)
{
    uint8_t first[ADDRESS_LEN], last[ADDRESS_LEN];

    memcpy(first, line->address, ADDRESS_LEN);
    memcpy(last, line->address, ADDRESS_LEN);
    for (uint64_t i = line->bits; i < 128; i++) {
        first[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
        last[i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    ask(set, lines, n, line->address);
    ask(set, lines, n, first);
    ask(set, lines, n, last);
    for (unsigned i = ADDRESS_LEN; i-- > 0 && first[i]-- == 0;)
        ;
    for (unsigned i = ADDRESS_LEN; i-- > 0 && ++last[i] == 0;)
        ;
    ask(set, lines, n, first);
    ask(set, lines, n, last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_make((const char *)data, size);
    static struct line lines[LINES_MAX];
    struct networks set = { 0 };
    size_t n = 0;

    while (rest.p != NULL && n < LINES_MAX) {
        struct str text = str_split(&rest, '\n');

        if (networks_add(&set, text) == 0 && !read_line(text, &lines[n++])) {
            networks_fini(&set); /* a preset */
            return 0;
        }
    }
    networks_seal(&set);
    for (size_t i = 1; i < set.n; i++)
        must(memcmp(set.ranges[i - 1].last, set.ranges[i].first, ADDRESS_LEN) < 0);
    for (size_t i = 0; i < n; i++)
        ask_around(&set, lines, n, &lines[i]);
    networks_fini(&set);
    return 0;
}
