/*
 * Starting a process: see proc.h.
 *
 * Between fork and exec the child makes only async-signal-safe calls; whatever may allocate or take a lock (groups, user
 * names) is prepared before. The order in the child matters and is written where it does.
 */
#include "os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define TO_MAX 1024 /* the numbers a child gets are small constants of ours */

/* What the child needs, made before the fork. */
struct plan {
    const struct proc_spawn *spawn;
    pid_t parent;
    int error_fd;  /* write end, CLOEXEC */
    int top;       /* descriptors up to here are the child's own */
    gid_t *groups; /* owned */
    int n_groups;  /* -1: leave them alone */
};

/* ---- the child's side ---- */

NORETURN static void child_fail(int fd, int error)
{
    if (write(fd, &error, sizeof(error)) < 0) {
        /* The parent sees the end of the pipe and the exit status instead. */
    }
    _exit(127);
}

static void reset_signals(void)
{
    struct sigaction sa = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &sa,
                        NULL); /* refused for KILL, STOP and the C library's own: they have no handler to lose */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool is_target(const struct proc_spawn *s, int fd)
{
    for (size_t i = 0; i < s->n_fds; i++)
        if (s->fds[i].to == fd)
            return true;
    return false;
}

static int move_above(int fd, int top)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, top + 1);

    return moved < 0 ? -errno : moved;
}

/* close_range(2) is there since Linux 5.9. */
static void close_from(int first)
{
    if (close_range((unsigned)first, ~0U, 0) == 0)
        return;
    for (int fd = first, end = (int)sysconf(_SC_OPEN_MAX); fd < end; fd++)
        close(fd);
}

/*
 * A target number may be another's source, so everything is first moved above all targets, then put into place. Then what
 * is left between the targets is closed, the error pipe comes to top + 1, and all above it is closed.
 */
static int place_fds(struct plan *p)
{
    const struct proc_spawn *s = p->spawn;
    int moved[TO_MAX];
    int r;

    r = p->error_fd = move_above(p->error_fd, p->top);
    for (size_t i = 0; i < s->n_fds && r >= 0; i++)
        r = moved[i] = move_above(s->fds[i].from, p->top);
    for (size_t i = 0; i < s->n_fds && r >= 0; i++)
        r = dup2(moved[i], s->fds[i].to) < 0 ? -errno : 0;
    if (r < 0)
        return r;
    for (int fd = 0; fd <= p->top; fd++)
        if (!is_target(s, fd))
            close(fd);
    for (int fd = 0; fd <= 2; fd++) /* lowest free number first: 0, 1, 2 in turn */
        if (!is_target(s, fd) && open("/dev/null", O_RDWR) != fd)
            return -EIO;
    if (p->error_fd != p->top + 1) {
        if (dup3(p->error_fd, p->top + 1, O_CLOEXEC) < 0)
            return -errno;
        p->error_fd = p->top + 1;
    }
    close_from(p->top + 2);
    return 0;
}

/* Groups while we still may, the group, the user last: it takes the right to change the others away. */
static int become(const struct plan *p)
{
    const struct proc_spawn *s = p->spawn;

    if (p->n_groups >= 0 && setgroups((size_t)p->n_groups, p->groups) < 0)
        return -errno;
    if (s->gid != (gid_t)PROC_KEEP_ID && setresgid(s->gid, s->gid, s->gid) < 0)
        return -errno;
    if (s->uid != PROC_KEEP_ID && setresuid(s->uid, s->uid, s->uid) < 0)
        return -errno;
    if (s->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return 0;
}

/* After become(): a change of user clears it. The parent may have died before it was set. */
static int die_with_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

NORETURN static void child(struct plan *p)
{
    const struct proc_spawn *s = p->spawn;
    int r;

    reset_signals();
    if (s->own_group)
        setpgid(0, 0);
    if (s->umask >= 0)
        umask((mode_t)s->umask);
    r = place_fds(p);
    if (r == 0)
        r = become(p);
    if (r == 0)
        r = die_with_parent(p->parent);
    if (r == 0 && s->chdir != NULL && chdir(s->chdir) < 0)
        r = -errno; /* as the user it will be: a directory it may not enter is found here */
    if (r == 0) {
        execve(s->path, s->argv, s->envp);
        r = -errno;
    }
    child_fail(p->error_fd, -r);
}

/* ---- the parent's side ---- */

static bool changes_id(const struct proc_spawn *s)
{
    return (s->uid != PROC_KEEP_ID && s->uid != geteuid()) || (s->gid != (gid_t)PROC_KEEP_ID && s->gid != getegid());
}

/* The groups of the user it becomes; nothing to do when it stays who it is, or when its user stays. */
static int plan_groups(struct plan *p)
{
    const struct proc_spawn *s = p->spawn;
    struct passwd *pw;
    int n = 32;

    p->n_groups = -1;
    if (s->uid == PROC_KEEP_ID || !changes_id(s))
        return 0;
    pw = getpwuid(s->uid);
    p->n_groups = 0;
    if (pw == NULL)
        return 0;
    for (;;) {
        int room = n;

        p->groups = mem_realloc(p->groups, (size_t)n * sizeof(gid_t));
        if (getgrouplist(pw->pw_name, s->gid != (gid_t)PROC_KEEP_ID ? s->gid : pw->pw_gid, p->groups, &n) >= 0)
            break;
        if (n <= room || n > 65536)
            return -EIO;
    }
    p->n_groups = n;
    return 0;
}

static int plan_top(const struct proc_spawn *s)
{
    int top = 2;

    must(s->n_fds <= TO_MAX);
    for (size_t i = 0; i < s->n_fds; i++) {
        must(s->fds[i].to >= 0 && s->fds[i].to < TO_MAX && s->fds[i].from >= 0);
        if (s->fds[i].to > top)
            top = s->fds[i].to;
    }
    return top;
}

/* The child's errno, or 0 when the pipe ends: exec closed it. */
static int read_error(int fd)
{
    int error = 0;
    ssize_t n;

    do
        n = read(fd, &error, sizeof(error));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(error) ? error : 0;
}

/* All signals are held while forking, so that no handler of ours runs in the child. */
static pid_t fork_child(struct plan *p)
{
    sigset_t all, old;
    pid_t pid;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pid = fork();
    if (pid == 0)
        child(p);
    error = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return pid < 0 ? -error : pid;
}

pid_t proc_spawn(const struct proc_spawn *spawn)
{
    struct plan plan = { .spawn = spawn, .parent = getpid(), .top = plan_top(spawn) };
    int fds[2], error;
    pid_t pid;

    error = plan_groups(&plan);
    if (error == 0 && pipe2(fds, O_CLOEXEC) < 0)
        error = -errno;
    if (error != 0) {
        mem_free(plan.groups);
        return error;
    }
    plan.error_fd = fds[1];
    pid = fork_child(&plan);
    mem_free(plan.groups);
    close(fds[1]);
    error = pid > 0 ? read_error(fds[0]) : 0;
    close(fds[0]);
    if (error == 0)
        return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return -error;
}

/* ---- users ---- */

static int find_group(struct str name, gid_t *gid)
{
    uint64_t number;
    char *text;
    struct group *gr;

    if (str_to_u64(name, UINT32_MAX - 1, &number) == 0) {
        *gid = (gid_t)number;
        return 0;
    }
    text = str_dup(name);
    gr = getgrnam(text);
    mem_free(text);
    if (gr == NULL)
        return -ENOENT;
    *gid = gr->gr_gid;
    return 0;
}

int proc_find_user(const char *text, uid_t *uid, gid_t *gid)
{
    struct str group = str_of(text), user = str_split(&group, ':');
    struct passwd *pw;
    uint64_t number;
    char *name;

    if (str_to_u64(user, UINT32_MAX - 1, &number) == 0) {
        pw = getpwuid((uid_t)number);
        *uid = (uid_t)number;
        *gid = pw != NULL ? pw->pw_gid : (gid_t)number;
    } else {
        name = str_dup(user);
        pw = getpwnam(name);
        mem_free(name);
        if (pw == NULL)
            return -ENOENT;
        *uid = pw->pw_uid;
        *gid = pw->pw_gid;
    }
    return group.p != NULL ? find_group(group, gid) : 0;
}
