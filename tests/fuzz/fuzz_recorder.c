/* Any bytes in a worker's flight recorder: what is shown of them is terminated, printable and bounded. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "super/report.h"

#define THREADS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_view(int fd, uint32_t thread)
{
    struct recorder_view view;

    if (recorder_look(fd, thread, &view) != 0 || view.phase >= RECORDER_PHASE_COUNT || view.n >= RECORDER_REQUESTS)
        abort();
    for (uint32_t i = 0; i < view.n; i++) {
        const char *texts[] = { view.requests[i].method, view.requests[i].id, view.requests[i].target };

        for (size_t t = 0; t < ARRAY_LEN(texts); t++)
            for (const char *p = texts[t]; *p != '\0'; p++)
                if (*p <= ' ' || *p > '~')
                    abort();
    }
}

static void check_report(int fd)
{
    struct report report;

    report_init(&report, fd, THREADS, 1);
    report_threads(&report);
    report_last(&report);
    (void)report_stacks(&report, 0);
    if (strlen(report_text(&report)) > REPORT_TEXT_MAX + 16)
        abort();
    report_fini(&report);
}

/* The first half is laid over the seats, the second is the text of the stacks. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static struct recorder *recorder;
    size_t seats = THREADS * sizeof(recorder->seats[0]), n = size / 2 < seats ? size / 2 : seats;

    if (fd < 0) {
        fd = recorder_make(THREADS);
        if (fd < 0 || recorder_attach(fd, THREADS, &recorder) != 0)
            abort();
    }
    memset(recorder->seats, 0, seats);
    memcpy(recorder->seats, data, n);
    recorder_rewind(fd, THREADS);
    if (size > n && write(fd, data + n, size - n) < 0)
        abort();
    for (uint32_t i = 0; i < THREADS; i++)
        check_view(fd, i);
    check_report(fd);
    return 0;
}
