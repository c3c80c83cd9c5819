/* Finding the running instance and talking to it. */
#include "super/client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "super/control.h"

/* A broken configuration file must not keep anybody from stopping the server: the rest counts, and `broken` names it. */
static int find_path(const struct launch *launch, char *path, size_t size, char broken[CONF_ERROR_MAX])
{
    static struct why why;
    char error[CONF_ERROR_MAX] = "";
    struct conf_builder *b = conf_builder_new();
    const struct conf *conf = conf_of(b);
    int r = 0, n;

    if (conf_read_args(b, launch->argc, launch->argv, error) != 0 || conf_read_env(b, launch->envp, error) != 0)
        r = why_set(&why, -EINVAL, "%s", error);
    if (r == 0 && launch_enter(launch, conf->chdir, &why) != 0)
        r = -ENOENT;
    if (r == 0 &&
        conf_read_file(b, conf->config != NULL ? conf->config : "quintet.yaml", conf->config != NULL, error) != 0)
        memcpy(broken, error, CONF_ERROR_MAX);
    if (r == 0) {
        n = snprintf(path, size, "%s", conf->control);
        r = n > 0 && (size_t)n < size ? 0 : why_set(&why, -ENAMETOOLONG, "--control: %s is too long", conf->control);
    }
    conf_builder_free(b);
    if (r != 0)
        (void)fprintf(stderr, "quintet: %s\n", why.text);
    return r;
}

/* A broken file may be why the socket is looked for in the wrong place; who was reached will speak of it himself. */
static void explain(const char *path, int error, const char *broken)
{
    char *whole = plan_absolute(path);

    if (broken[0] != '\0')
        (void)fprintf(stderr, "quintet: warning: %s\n", broken);
    if (whole == NULL)
        whole = mem_strdup(path);
    if (error == -ENOENT || error == -ECONNREFUSED)
        (void)fprintf(stderr,
                      "quintet: nothing is running here: no one answers at %s; go to the project's directory, or name "
                      "it with --chdir\n",
                      whole);
    else
        (void)fprintf(stderr, "quintet: cannot reach %s: %s%s\n", whole, why_errno(error),
                      error == -EACCES ? "; only root and the user that started it may" : "");
    mem_free(whole);
}

int client_connect(const struct launch *launch)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    char broken[CONF_ERROR_MAX] = "";
    int fd, r = find_path(launch, addr.sun_path, sizeof(addr.sun_path), broken);

    if (r != 0)
        return r;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
        return fd;
    r = -errno;
    close(fd);
    explain(addr.sun_path, r, broken);
    return r;
}

int client_send(int fd, json_t *request)
{
    char line[256];
    size_t n = json_dumpb(request, line, sizeof(line) - 1, JSON_COMPACT);

    json_decref(request);
    must(n > 0 && n < sizeof(line));
    line[n++] = '\n';
    return send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -EPIPE;
}

json_t *client_receive(int fd)
{
    struct buf line;
    json_t *answer = NULL;
    char c;

    buf_init(&line, CONTROL_OUT_MAX);
    for (;;) {
        ssize_t n = recv(fd, &c, 1, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || buf_add_char(&line, c) != 0)
            break;
        if (c != '\n')
            continue;
        answer = json_loadb(line.data, line.len, 0, NULL);
        break;
    }
    buf_fini(&line);
    if (json_is_object(answer))
        return answer;
    json_decref(answer);
    return NULL;
}
