/* Printing the status. Whatever the document lacks is printed as "-". */
#include "super/status_table.h"

#include <time.h>

#include "base/must.h"

static const char *text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s != NULL ? s : "-";
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* "59s", "12m", "3h", "2d" with the next smaller unit beside it. */
static const char *duration(double seconds, char out[32])
{
    static const struct {
        double size;
        char unit;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (seconds < units[i].size && i + 1 < ARRAY_LEN(units))
            continue;
        if (i + 1 < ARRAY_LEN(units))
            (void)snprintf(
                out, 32, "%.0f%c%.0f%c", (double)(long long)(seconds / units[i].size), units[i].unit,
                (double)((long long)(seconds / units[i + 1].size) % (long long)(units[i].size / units[i + 1].size)),
                units[i + 1].unit);
        else
            (void)snprintf(out, 32, "%.1fs", seconds);
        break;
    }
    return out;
}

static double seconds(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* What the edge knows of one worker's threads. */
struct seats {
    long long requests;
    int busy;
    double oldest; /* seconds */
};

static struct seats seats_of(const json_t *edge, long long generation, long long worker)
{
    struct seats found = { 0 };
    size_t i, j;
    json_t *g, *seat;

    json_array_foreach(json_object_get(edge, "generations"), i, g)
    {
        if (number(g, "generation") != generation)
            continue;
        json_array_foreach(json_object_get(g, "seats"), j, seat)
        {
            if (number(seat, "worker") != worker)
                continue;
            found.requests += number(seat, "requests");
            if (!json_is_true(json_object_get(seat, "busy")))
                continue;
            found.busy++;
            if (seconds(seat, "age") > found.oldest)
                found.oldest = seconds(seat, "age");
        }
    }
    return found;
}

static void print_worker(const json_t *worker, const struct seats *seats, FILE *to)
{
    char up[32], now[48], age[32];

    if (seats->busy > 0)
        (void)snprintf(now, sizeof(now), "%d running, oldest %s", seats->busy, duration(seats->oldest, age));
    else
        (void)snprintf(now, sizeof(now), "idle");
    (void)fprintf(to, "  %6lld  %8lld  %-9s %8s %6lldM %8lld %10lld  %s\n", number(worker, "worker"),
                  number(worker, "pid"), text(worker, "state"), duration(seconds(worker, "uptime"), up),
                  number(worker, "memory") >> 20, number(worker, "restarts"), seats->requests, now);
}

/* A successor below the worker whose place it will take, a preloader above its workers. */
static void print_other(const json_t *next, const char *what, FILE *to)
{
    char up[32];

    if (next != NULL)
        (void)fprintf(to, "  %6s  %8lld  %-9s %8s %6lldM %8s %10s  %s\n", "", number(next, "pid"), text(next, "state"),
                      duration(seconds(next, "uptime"), up), number(next, "memory") >> 20, "", "", what);
}

static void print_generation(const json_t *g, const json_t *edge, FILE *to)
{
    char kept[48] = "", time[32];
    json_t *worker;
    size_t i;

    if (seconds(g, "kept_seconds") > 0)
        (void)snprintf(kept, sizeof(kept), " for %s more", duration(seconds(g, "kept_seconds"), time));
    (void)fprintf(to, "\ngeneration %lld: %s%s, %lld thread%s a worker\n", number(g, "generation"), text(g, "state"),
                  kept, number(g, "threads"), number(g, "threads") == 1 ? "" : "s");
    (void)fprintf(to, "  %6s  %8s  %-9s %8s %7s %8s %10s  %s\n", "worker", "pid", "state", "up", "memory", "restarts",
                  "requests", "now");
    json_array_foreach(json_object_get(g, "preloaders"), i, worker) print_other(worker, "the preloader", to);
    json_array_foreach(json_object_get(g, "workers"), i, worker)
    {
        struct seats seats = seats_of(edge, number(g, "pool"), number(worker, "worker"));

        print_worker(worker, &seats, to);
        print_other(json_object_get(worker, "successor"), "its successor", to);
    }
}

static long long open_connections(const json_t *edge)
{
    long long n = 0;
    json_t *lane;
    size_t i;

    json_array_foreach(json_object_get(edge, "open"), i, lane) n += (long long)json_integer_value(lane);
    return n;
}

static void print_certificates(const json_t *list, FILE *to)
{
    json_t *cert;
    size_t i;

    json_array_foreach(list, i, cert)
    {
        double left = difftime((time_t)json_integer_value(json_object_get(cert, "expires")), time(NULL));
        char time[32];

        (void)fprintf(to, "tls      %s (%s) %s%s, %s\n", text(cert, "name"), text(cert, "key"),
                      left > 0 ? "ends in " : "has expired", left > 0 ? duration(left, time) : "", text(cert, "file"));
    }
}

/* What is now, then what has been since it started. */
static void print_edge(const json_t *edge, FILE *to)
{
    char up[32];

    (void)fprintf(to,
                  "edge     pid %lld, %s for %s; connections: %lld open, %lld in all; requests: %lld queued, %lld in "
                  "all; restarts: %lld\n",
                  number(edge, "pid"), text(edge, "state"), duration(seconds(edge, "uptime"), up),
                  open_connections(edge), number(edge, "connections"), number(edge, "queued"), number(edge, "requests"),
                  number(edge, "restarts"));
}

void status_table_print(const json_t *status, FILE *to)
{
    const json_t *edge = json_object_get(status, "edge");
    char up[32];
    json_t *item;
    size_t i;

    (void)fprintf(to, "quintet %s   %s   pid %lld   up %s\n", text(status, "version"), text(status, "state"),
                  number(status, "pid"), duration(seconds(status, "uptime"), up));
    (void)fprintf(to, "app      %s   (%s)\n", text(status, "app"), text(status, "python"));
    json_array_foreach(json_object_get(status, "addresses"), i, item)(void)
        fprintf(to, "%s  %s\n", i == 0 ? "address" : "       ", json_string_value(item));
    if (json_is_string(json_object_get(status, "metrics")))
        (void)fprintf(to, "metrics  %s\n", text(status, "metrics"));
    print_certificates(json_object_get(status, "certificates"), to);
    print_edge(edge, to);
    if (seconds(status, "paused") > 0)
        (void)fprintf(to, "paused   goes on in %s, %lld request%s\n", duration(seconds(status, "paused"), up),
                      number(edge, "queued"), number(edge, "queued") == 1 ? " waits" : "s wait");
    json_array_foreach(json_object_get(status, "generations"), i, item) print_generation(item, edge, to);
}
