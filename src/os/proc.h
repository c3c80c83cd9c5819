/*
 * Processes: start one with exactly the descriptors it should have, give up privileges, set the title.
 */
#ifndef QUINTET_OS_PROC_H
#define QUINTET_OS_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must.h"

struct proc_fd {
    int from; /* descriptor here */
    int to;   /* its number in the child */
};

#define PROC_KEEP_ID ((uid_t)-1)

struct proc_spawn {
    const char *path;          /* executable; no PATH search */
    char *const *argv;         /* argv[0] is the title ps shows */
    char *const *envp;         /* whole environment */
    const char *chdir;         /* NULL: stay */
    const struct proc_fd *fds; /* every other descriptor is closed; 0, 1, 2 not named become /dev/null */
    size_t n_fds;
    uid_t uid;         /* PROC_KEEP_ID: stay */
    gid_t gid;         /* PROC_KEEP_ID: stay; supplementary groups: those of uid when it has a name, else none */
    int umask;         /* -1: stay */
    bool no_new_privs; /* PR_SET_NO_NEW_PRIVS */
    bool own_group;    /* its own process group: a terminal's ^C reaches the supervisor alone */
};

/* fork + exec; the child dies with its parent (PR_SET_PDEATHSIG SIGKILL; "parent" is the calling thread). Signal mask and dispositions are reset to default in
 * the child. Returns the pid, or -errno also when the exec itself failed (reported through a CLOEXEC pipe). */
MUST_CHECK pid_t proc_spawn(const struct proc_spawn *spawn);

/* The user's name or number, "user" or "user:group". 0, or -ENOENT. *gid is the user's primary group unless named; the
 * number itself for a number that no user has. */
MUST_CHECK int proc_find_user(const char *text, uid_t *uid, gid_t *gid);

/* Overwrites the memory of argv with the title (for processes that cannot choose argv[0] at exec: the worker's interpreter).
 * The title is cut to what argv has room for, and the environment behind it when that has been moved. */
void proc_set_title(const char *title);

/* Puts a copy of the environment in the place of the one that the kernel has made, for good. At the very beginning of main: pointers into the old one do not
 * hold any more once there is a title. */
void proc_move_environment(void);

size_t proc_cores(void);          /* CPUs this process may use (affinity and cgroup v2 quota, rounded up), >= 1 */
uint64_t proc_memory(void);       /* bytes this process may use: the machine's, or less by cgroup v2 */
uint64_t proc_rss(pid_t pid);     /* resident bytes from /proc, 0 when gone */
uint64_t proc_private(pid_t pid); /* resident bytes that no file backs, 0 when gone */
size_t proc_count_fds(void);      /* open descriptors of this process */
MUST_CHECK int proc_self_path(char *out, size_t size); /* /proc/self/exe resolved; 0 or -errno */

#endif
