/* Time: see clock.h. */
#include "base/clock.h"

#include <time.h>

#include "base/must.h"

static uint64_t read_clock(clockid_t id)
{
    struct timespec ts;

    must(clock_gettime(id, &ts) == 0);
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* Days since 1970 to year, month, day, counting years from March so that the leap day is a year's last. (gmtime_r would
 * take the C library's time zone lock on every log line.) */
static void civil_from_days(unsigned days, unsigned *year, unsigned *month, unsigned *day)
{
    unsigned z = days + 719468; /* since 0000-03-01 */
    unsigned era = z / 146097, of_era = z % 146097;
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned m = (5 * of_year + 2) / 153;

    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static char *put_digits(char *p, unsigned value, int width)
{
    for (int i = width; i-- > 0; value /= 10)
        p[i] = (char)('0' + value % 10);
    return p + width;
}

void clock_iso(uint64_t wall_ns, char out[CLOCK_ISO_LEN + 1])
{
    uint64_t seconds = wall_ns / NS_PER_SEC; /* 64 bits of nanoseconds end in 2554: days and years fit unsigned */
    unsigned of_day = (unsigned)(seconds % 86400), year, month, day;
    char *p = out;

    civil_from_days((unsigned)(seconds / 86400), &year, &month, &day);
    p = put_digits(p, year, 4);
    *p++ = '-';
    p = put_digits(p, month, 2);
    *p++ = '-';
    p = put_digits(p, day, 2);
    *p++ = 'T';
    p = put_digits(p, of_day / 3600, 2);
    *p++ = ':';
    p = put_digits(p, of_day / 60 % 60, 2);
    *p++ = ':';
    p = put_digits(p, of_day % 60, 2);
    *p++ = '.';
    p = put_digits(p, (unsigned)(wall_ns % NS_PER_SEC / NS_PER_MS), 3);
    *p++ = 'Z';
    *p = '\0';
}
