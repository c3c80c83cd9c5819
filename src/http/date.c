/*
 * HTTP dates without libc's calendar: no locale, no time zone, no lock, a few divisions.
 *
 * Days are counted in the proleptic Gregorian calendar in years that begin on 1 March, so that the leap day comes last,
 * and in eras of 400 years (146097 days), which repeat exactly.
 */
#include "http/date.h"

#include <errno.h>
#include <stdbool.h>

#include "base/clock.h"
#include "http/chars.h"

#define DAY 86400
#define ERA_DAYS 146097
#define EPOCH_DAYS 719468        /* from 0000-03-01 to 1970-01-01 */
#define SECONDS_MAX 253402300799 /* 9999-12-31 23:59:59 */

struct civil {
    int64_t year;
    int month, day; /* from 1 */
    int hour, minute, second;
};

static const char day_names[7][10] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* ---- the calendar ---- */

static int64_t days_of(const struct civil *c)
{
    int64_t year = c->month <= 2 ? c->year - 1 : c->year;
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t month = (c->month + 9) % 12; /* from March */
    int64_t day_of_year = (153 * month + 2) / 5 + c->day - 1;

    if (year < 0) { /* year 0, January or February */
        era = -1;
        year_of_era = year + 400;
    }
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_DAYS;
}

/* For days from 1970 on. */
static struct civil civil_of(int64_t days)
{
    int64_t since = days + EPOCH_DAYS;
    int64_t era = since / ERA_DAYS, day = since % ERA_DAYS;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    struct civil c = { 0 };

    c.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    c.month = (int)(month < 10 ? month + 3 : month - 9);
    c.year = era * 400 + year + (c.month <= 2);
    return c;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int64_t year, int month)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* ---- writing ---- */

static void put2(char *out, int64_t value)
{
    out[0] = (char)('0' + value / 10 % 10);
    out[1] = (char)('0' + value % 10);
}

void http_date_write(int64_t seconds, char out[HTTP_DATE_LEN])
{
    struct civil c;
    int64_t days, rest;

    must(seconds >= 0 && seconds <= SECONDS_MAX);
    days = seconds / DAY;
    rest = seconds % DAY;
    c = civil_of(days);
    memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", HTTP_DATE_LEN);
    memcpy(out, day_names[(days + 4) % 7], 3); /* 1970 began on a Thursday */
    put2(out + 5, c.day);
    memcpy(out + 8, month_names[c.month - 1], 3);
    put2(out + 12, c.year / 100);
    put2(out + 14, c.year);
    put2(out + 17, rest / 3600);
    put2(out + 20, rest / 60 % 60);
    put2(out + 23, rest % 60);
}

/* ---- reading: a format of one letter a field against the whole text ---- */

static bool take_number(struct str *in, size_t digits, int64_t *value)
{
    *value = 0;
    if (in->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!http_is_digit(in->p[i]))
            return false;
        *value = *value * 10 + (in->p[i] - '0');
    }
    *in = str_cut(*in, digits, in->n);
    return true;
}

static bool take_small(struct str *in, int *value)
{
    int64_t number;
    bool ok = take_number(in, 2, &number);

    *value = (int)number;
    return ok;
}

/* asctime pads the day with a space. */
static bool take_padded_day(struct str *in, int *day)
{
    if (in->n < 2 || in->p[0] != ' ')
        return take_small(in, day);
    *day = in->p[1] - '0';
    if (!http_is_digit(in->p[1]))
        return false;
    *in = str_cut(*in, 2, in->n);
    return true;
}

static bool take_month(struct str *in, int *month)
{
    for (int i = 0; i < 12; i++)
        if (str_starts(*in, str_make(month_names[i], 3))) {
            *month = i + 1;
            *in = str_cut(*in, 3, in->n);
            return true;
        }
    return false;
}

static bool take_day_name(struct str *in, bool whole)
{
    for (int i = 0; i < 7; i++) {
        struct str name = whole ? str_of(day_names[i]) : str_make(day_names[i], 3);

        if (str_starts(*in, name)) {
            *in = str_cut(*in, name.n, in->n);
            return true;
        }
    }
    return false;
}

/* RFC 9110 5.6.7: two digits that seem more than 50 years ahead mean the past. */
static bool take_short_year(struct str *in, int64_t *year)
{
    int64_t now = civil_of((int64_t)(clock_wall_ns() / NS_PER_SEC) / DAY).year;
    bool ok = take_number(in, 2, year);

    *year += now - now % 100;
    if (*year > now + 50)
        *year -= 100;
    return ok;
}

static bool take_time(struct str *in, struct civil *c)
{
    if (in->n < 8 || in->p[2] != ':' || in->p[5] != ':')
        return false;
    struct str hour = str_cut(*in, 0, 2), minute = str_cut(*in, 3, 5), second = str_cut(*in, 6, 8);

    *in = str_cut(*in, 8, in->n);
    return take_small(&hour, &c->hour) && take_small(&minute, &c->minute) && take_small(&second, &c->second);
}

/* w, W: day name, short and whole; d, D: day, D padded with a space; m: month; y, Y: year of two and four digits; t:
 * time. */
static bool take(struct str *in, char what, struct civil *c)
{
    switch (what) {
    case 'w':
        return take_day_name(in, false);
    case 'W':
        return take_day_name(in, true);
    case 'd':
        return take_small(in, &c->day);
    case 'D':
        return take_padded_day(in, &c->day);
    case 'm':
        return take_month(in, &c->month);
    case 'y':
        return take_short_year(in, &c->year);
    case 'Y':
        return take_number(in, 4, &c->year);
    case 't':
        return take_time(in, c);
    default: /* itself */
        if (in->n == 0 || in->p[0] != what)
            return false;
        *in = str_cut(*in, 1, in->n);
        return true;
    }
}

static bool matches(struct str in, const char *format, struct civil *c)
{
    for (; *format; format++)
        if (!take(&in, *format, c))
            return false;
    return in.n == 0;
}

static bool exists(const struct civil *c)
{
    return c->day >= 1 && c->day <= month_days(c->year, c->month) && c->hour <= 23 && c->minute <= 59 &&
           c->second <= 60; /* a leap second */
}

int http_date_parse(struct str in, int64_t *seconds)
{
    static const char *const formats[] = {
        "w, d m Y t GMT", /* IMF-fixdate */
        "W, d-m-y t GMT", /* RFC 850 */
        "w m D t Y",      /* asctime */
    };

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct civil c = { 0 };

        if (!matches(in, formats[i], &c))
            continue;
        if (!exists(&c))
            return -EINVAL;
        *seconds = days_of(&c) * DAY + (int64_t)c.hour * 3600 + (int64_t)c.minute * 60 + c.second;
        return 0;
    }
    return -EINVAL;
}
