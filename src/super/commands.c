/* The table of commands, their help, and finding the one that is meant. */
#include "super/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/version.h"
#include "super/probe.h"
#include "super/super.h"
#include "super/switches.h"

#define HELP_MAX (256u << 10)

struct command {
    const char *name;
    const char *arguments;
    const char *summary;
    const char *text; /* what --help says between the usage and the options; examples at its end */
    int (*run)(struct launch *launch, const struct command_switches *switches);
    struct switches_known knows;
};

static int command_run(struct launch *launch, const struct command_switches *switches)
{
    return super_run(launch);
}

static int command_version(struct launch *launch, const struct command_switches *switches)
{
    (void)printf("quintet %s\n", QUINTET_VERSION);
    return EXIT_OK;
}

static int command_takeover_probe(struct launch *launch, const struct command_switches *switches)
{
    return probe_answer(launch);
}

static const struct command commands[] = {
    { .name = "run",
      .arguments = "[OPTIONS] [MODULE[:CALLABLE]]",
      .summary = "serve in the foreground; with no MODULE, find the Django project here",
      .text =
          "Serves a WSGI application until it is told to stop. In a Django project (a directory with manage.py) it "
          "finds the\n"
          "application, static and media files and security settings by itself.\n\n"
          "Signals: TERM drains and stops, INT and QUIT stop at once, HUP reloads, USR1 reopens the logs, USR2 takes "
          "over with\n"
          "the program now on disk, TTIN and TTOU make it one worker more or fewer.\n\n"
          "Exit status: 0 stopped on request, 1 failure, 2 wrong usage or configuration, 3 the application failed "
          "to boot.\n\n"
          "  quintet run                              the Django project here, on http://127.0.0.1:8000\n"
          "  quintet run mysite.wsgi -w 4 -b 0.0.0.0:80 --user www-data\n"
          "  quintet run 'app:create_app()' --threads 8\n"
          "  quintet run --tls-bind 0.0.0.0:443 --certfile site.pem --keyfile site.key\n",
      .run = command_run,
      .knows = { .options = true } },
    { .name = "check",
      .arguments = "[OPTIONS] [MODULE[:CALLABLE]]",
      .summary = "would it start? is it fit for production?",
      .text = "Reads the configuration as `quintet run` would, looks for the interpreter, imports the application, "
              "tries the\n"
              "addresses and certificates and judges the Django settings. Nothing is served and nothing changed. Exit "
              "status 0,\n"
              "or 1 with a numbered list of what to fix.\n\n"
              "  quintet check\n"
              "  quintet check --chdir /srv/mysite --tls-bind 0.0.0.0:443 --certfile site.pem --keyfile site.key\n",
      .run = command_check,
      .knows = { .json = true, .options = true } },
    { .name = "reload",
      .arguments = "[--edge] [OPTIONS]",
      .summary = "serve the code and configuration that are there now, without losing a request",
      .text =
          "Starts a new generation of workers beside the serving one, switches when all of them are ready, and "
          "waits until the\n"
          "old one is drained. If the new one does not boot, the old one goes on serving and the command exits "
          "with 1 and the\n"
          "reason.\n\n"
          "Where the configuration has reload_strategy: rolling, the workers are replaced one after the other instead. "
          "With --edge\n"
          "no worker is touched: only the edge's part of the configuration, the certificates and the log files are "
          "taken up.\n\n"
          "  quintet reload\n"
          "  quintet reload --edge                    a renewed certificate\n"
          "  git pull && quintet check && quintet reload\n",
      .run = command_reload,
      .knows = { .edge = true } },
    { .name = "rollback",
      .arguments = "[OPTIONS]",
      .summary = "return at once to what served before the last reload",
      .text =
          "Needs --keep-generation TIME, which keeps the workers before a reload booted for so long. New requests go "
          "to them at\n"
          "once, with the configuration of their time; those under way are finished where they are. A second rollback "
          "goes forward\n"
          "again. Without a kept generation it exits with 1. A reload that has not switched yet is given up "
          "instead.\n\n"
          "  quintet rollback\n",
      .run = command_rollback },
    { .name = "pause",
      .arguments = "[--max TIME] [OPTIONS]",
      .summary = "let requests wait while a database or another service is changed",
      .text = "Requests for the application wait in the queue, files and health checks are served on. Returns when the "
              "requests that\n"
              "were running have ended. It goes on by itself after --max (30s), counted from the command, or with "
              "`quintet resume`;\n"
              "waiting here does not count against --queue-timeout, and --queue-size bounds how many may wait. If "
              "requests still run\n"
              "when the time is over, the command exits with 1.\n\n"
              "  quintet pause && ./switch-database && quintet resume\n"
              "  quintet pause --max 2m\n",
      .run = command_pause,
      .knows = { .max = true } },
    { .name = "resume",
      .arguments = "[OPTIONS]",
      .summary = "end a pause: the requests that wait are served in their order",
      .text = "  quintet resume\n",
      .run = command_resume },
    { .name = "stop",
      .arguments = "[OPTIONS]",
      .summary = "finish the requests under way and stop; returns when it is gone",
      .text = "  quintet stop\n"
              "  quintet stop --chdir /srv/mysite\n",
      .run = command_stop },
    { .name = "status",
      .arguments = "[--json] [OPTIONS]",
      .summary = "what is running: generations, workers, requests",
      .text = "  quintet status\n"
              "  quintet status --json | jq .generations\n",
      .run = command_status,
      .knows = { .json = true } },
    { .name = "top",
      .arguments = "[OPTIONS]",
      .summary = "the status again every second",
      .text = "  quintet top\n",
      .run = command_top },
    { .name = "config",
      .arguments = "[--defaults|--json] [OPTIONS]",
      .summary = "the configuration in force, and where each value came from",
      .text = "With --defaults, a complete quintet.yaml with every default and what it means.\n\n"
              "  quintet config\n"
              "  quintet config --defaults > quintet.yaml\n",
      .run = command_config,
      .knows = { .json = true, .defaults = true, .options = true } },
    { .name = "compress",
      .arguments = "[DIR...]",
      .summary = "write precompressed siblings of static files, after collectstatic",
      .text =
          "Beside each file that compresses (style.css) its siblings style.css.br, .zst and .gz are written, as small "
          "as "
          "they can\n"
          "be, and `quintet run` sends them to whoever takes them. Without DIR: the static files of the Django project "
          "here.\n\n"
          "Left out are files below 1 KiB, types that are compressed in themselves, hidden files, and siblings that "
          "would "
          "save\n"
          "less than a twentieth. A sibling has its file's date; what is up to date is not made again. If a file "
          "cannot "
          "be read or\n"
          "written the others are done nevertheless, and the exit status is 1.\n\n"
          "  python manage.py collectstatic --noinput && quintet compress\n"
          "  quintet compress /srv/mysite/static /srv/mysite/docs\n",
      .run = command_compress,
      .knows = { .words = true } },
    { .name = "version",
      .arguments = "",
      .summary = "the version of this program",
      .text = "",
      .run = command_version },
    /* Not for people: see super/probe.h. */
    { .name = "takeover-probe",
      .arguments = "[OPTIONS]",
      .text = "",
      .run = command_takeover_probe,
      .knows = { .options = true } },
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int help_all(FILE *to)
{
    (void)fprintf(
        to, "usage: quintet COMMAND [OPTIONS] [MODULE[:CALLABLE]]\n\n"
            "Serves a Django site, or any WSGI application, in production: TLS, static files, workers, reloads.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].summary != NULL)
            (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(to, "\n  cd mysite && quintet run      serve the Django project here\n"
                      "  quintet COMMAND --help        more about one of them\n");
    return EXIT_OK;
}

static int help_one(const struct command *c)
{
    struct buf options;
    bool asks = c->summary[strlen(c->summary) - 1] == '?';

    (void)printf("usage: quintet %s%s%s\n\n%c%s%s\n\n%s", c->name, c->arguments[0] != '\0' ? " " : "", c->arguments,
                 c->summary[0] - 'a' + 'A', c->summary + 1, asks ? "" : ".", c->text);
    if (!c->knows.options) {
        if (c->arguments[0] != '\0')
            (void)printf(c->knows.words
                             ? "\nWhich project is meant: --chdir DIR or --config FILE, as for `quintet run`.\n"
                             : "\nWhich instance is meant: --chdir DIR, --config FILE or --control PATH, as "
                               "`quintet run` had them.\n");
        return EXIT_OK;
    }
    buf_init(&options, HELP_MAX);
    if (conf_help(&options) == 0)
        (void)printf("\n" STR_FMT, STR_ARG(buf_str(&options)));
    buf_fini(&options);
    return EXIT_OK;
}

static int unknown(const char *name)
{
    const struct command *nearest = NULL;
    unsigned best = 4;

    if (name[0] == '-') {
        (void)fprintf(stderr, "quintet: %s: the command comes first, such as `quintet run`; see `quintet --help`\n",
                      name);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands) && commands[i].summary != NULL; i++) {
        unsigned d = str_distance(str_of(name), str_of(commands[i].name));

        if (d < best) {
            best = d;
            nearest = &commands[i];
        }
    }
    if (nearest != NULL)
        (void)fprintf(stderr, "quintet: no such command: %s; did you mean `quintet %s`?\n", name, nearest->name);
    else
        (void)fprintf(stderr, "quintet: no such command: %s; see `quintet --help`\n", name);
    return EXIT_USAGE;
}

/* `quintet help reload` as well as `quintet reload --help`. */
static int help(int argc, char **argv)
{
    const struct command *c = argc > 2 ? find(argv[2]) : NULL;

    if (argc > 2 && c == NULL)
        return unknown(argv[2]);
    return c != NULL && c->summary != NULL ? help_one(c) : help_all(stdout);
}

int commands_main(int argc, char **argv, char **envp)
{
    struct command_switches switches = { 0 };
    const struct command *c;
    const char *program = argv[0];
    char error[SWITCHES_ERROR_MAX];
    struct launch launch;
    int r;

    if (argc < 2) {
        (void)help_all(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return help(argc, argv);
    c = find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (c == NULL)
        return unknown(argv[1]);
    argc--;
    argv++;
    if (switches_take(&c->knows, &argc, argv, &switches) && c->summary != NULL)
        return help_one(c);
    if (switches_check(c->name, &c->knows, argc, argv, error) != 0) {
        (void)fprintf(stderr, "quintet: %s\n", error);
        return EXIT_USAGE;
    }
    launch_init(&launch, argc, argv, envp);
    launch_set_program(&launch, program);
    r = c->run(&launch, &switches);
    launch_fini(&launch);
    return r;
}
