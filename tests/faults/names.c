/* Namespaces (unshare(2), user_namespaces(7)) and enough of the domain name system (RFC 1035). */
#include "names.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbconn/base/alloc.h"

#define NAME_SERVER_PORT 53
#define HEAD_BYTES 12
#define TYPE_A 1

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return written;
}

/* ---- a machine of our own ---- */

static bool become_root_of_our_own(void)
{
    char map[64];
    unsigned uid = getuid(), gid = getgid();

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0)
        return false;
    snprintf(map, sizeof(map), "0 %u 1", uid);
    if (!write_text("/proc/self/uid_map", map) || !write_text("/proc/self/setgroups", "deny"))
        return false;
    snprintf(map, sizeof(map), "0 %u 1", gid);
    return write_text("/proc/self/gid_map", map);
}

static bool raise_loopback(void)
{
    struct ifreq request = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;

    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    up = up && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    if (fd >= 0)
        close(fd);
    return up;
}

static bool mount_over(const char *dir, const char *name, const char *text, const char *over)
{
    char *path = xasprintf("%s/%s", dir, name);
    bool done = write_text(path, text) && mount(path, over, NULL, MS_BIND, NULL) == 0;

    free(path);
    return done;
}

static bool move_out(const char *dir, const char *resolver_options)
{
    char *resolv = xasprintf("nameserver 127.0.0.1\n%s\n", resolver_options);

    bool moved = unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 || become_root_of_our_own();

    moved = moved && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && raise_loopback() &&
            mount_over(dir, "resolv.conf", resolv, "/etc/resolv.conf") &&
            mount_over(dir, "hosts", "127.0.0.1 localhost\n", "/etc/hosts");
    free(resolv);
    return moved;
}

/* ---- the name server ---- */

static size_t question_end(const unsigned char *packet, size_t len)
{
    size_t at = HEAD_BYTES;

    while (at < len && packet[at] != 0)
        at += packet[at] + 1u;
    return at + 5; /* the root, type, class */
}

/* Turns the question in `packet` into its answer: 127.0.0.1 for an A, nothing for the rest. */
static size_t make_answer(unsigned char *packet, size_t len)
{
    static const unsigned char record[] = { 0xc0, HEAD_BYTES, 0, TYPE_A, 0,   1, 0, 0,
                                            0,    0,          0, 4,      127, 0, 0, 1 };
    size_t end = question_end(packet, len);

    if (end > len)
        return 0;
    packet[2] = 0x84; /* an answer, with authority */
    packet[3] = 0;
    memset(packet + 6, 0, HEAD_BYTES - 6);
    if (packet[end - 3] != TYPE_A || packet[end - 4] != 0)
        return end;
    packet[7] = 1;
    memcpy(packet + end, record, sizeof(record));
    return end + sizeof(record);
}

static void answer_for_ever(int fd, const char *silence)
{
    unsigned char packet[1024];
    struct sockaddr_in from;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_len);
        size_t len = n >= HEAD_BYTES ? make_answer(packet, (size_t)n) : 0;
        if (len && access(silence, F_OK) != 0)
            (void)sendto(fd, packet, len, 0, (struct sockaddr *)&from, from_len);
    }
}

static int listen_for_questions(void)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons(NAME_SERVER_PORT),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

bool names_start(struct names *names, const char *dir, const char *resolver_options)
{
    *names = (struct names){ .dir = xstrdup(dir) };
    if (!move_out(dir, resolver_options))
        return false;
    int fd = listen_for_questions();
    if (fd < 0)
        return false;
    names->silence = xasprintf("%s/silence", names->dir);
    names->pid = fork();
    if (names->pid == 0)
        answer_for_ever(fd, names->silence);
    close(fd);
    return names->pid > 0;
}

void names_stop(struct names *names)
{
    static const char *const files[] = { "resolv.conf", "hosts", "silence" };

    if (names->pid > 0) {
        kill(names->pid, SIGKILL);
        waitpid(names->pid, NULL, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = xasprintf("%s/%s", names->dir, files[i]);
        (void)unlink(path);
        free(path);
    }
    (void)rmdir(names->dir);
    free(names->dir);
    free(names->silence);
    *names = (struct names){ 0 };
}

void names_silent(const struct names *names, bool silent)
{
    if (silent)
        (void)write_text(names->silence, "");
    else
        (void)unlink(names->silence);
}
