#include "service_manager.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"

#define STATUS_MS (5 * SECOND_MS)

struct service_manager {
    struct service_manager_options o;
    int fd;
    struct loop_timer *status, *watchdog;
    int64_t watchdog_ms; /* between signs of life; 0: nobody waits for them */
    char *told;          /* the last status */
};

/* ---- sending ---- */

static void send_state(struct service_manager *m, const char *state)
{
    if (send(m->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        LOG(WARN, "service.notify", F_STR("why", strerror(errno)));
}

/* A path, or "@name" in the abstract namespace (sd_notify(3), unix(7)). */
static int connect_to(const char *name)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t len = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || len >= sizeof(to.sun_path))
        return -1;
    memcpy(to.sun_path, name, len);
    if (name[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, size) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- the line for people ---- */

static char *status_now(const struct service_manager *m)
{
    struct buf text = BUF_INIT, safe = BUF_INIT, line = BUF_INIT;

    m->o.status(m->o.user, &text);
    redact(buf_str(&text), &safe);
    text_clean(buf_str(&safe), true, &line);
    buf_clear(&text);
    buf_clear(&safe);
    return line.len ? buf_take(&line) : xstrdup("");
}

static void on_status(void *user)
{
    struct service_manager *m = user;
    char *text = status_now(m);

    loop_timer_start(m->status, STATUS_MS);
    if (!text_same(text, m->told)) {
        char *state = xasprintf("STATUS=%s", text);
        send_state(m, state);
        free(state);
        xreplace(&m->told, text);
    }
    free(text);
}

/* ---- the watchdog ---- */

static void on_watchdog(void *user)
{
    struct service_manager *m = user;

    send_state(m, "WATCHDOG=1");
    loop_timer_start(m->watchdog, m->watchdog_ms);
}

/* $WATCHDOG_USEC counts when $WATCHDOG_PID is ours or not set (sd_watchdog_enabled(3)). */
static int64_t watchdog_interval_ms(char *(*get)(const char *))
{
    const char *usec = get("WATCHDOG_USEC"), *pid = get("WATCHDOG_PID");
    int64_t ms = usec ? strtoll(usec, NULL, 10) / 1000 / 2 : 0;

    if (pid && strtoll(pid, NULL, 10) != getpid())
        return 0;
    return ms > 0 ? ms : 0;
}

/* ---- the public face ---- */

struct service_manager *service_manager_new(const struct service_manager_options *options)
{
    const char *name = options->get("NOTIFY_SOCKET");
    int fd = name && *name ? connect_to(name) : -1;

    if (fd < 0) {
        if (name && *name)
            LOG(WARN, "service.notify", F_STR("why", "$NOTIFY_SOCKET does not answer"));
        return NULL;
    }
    struct service_manager *m = xcalloc(1, sizeof(*m));
    m->o = *options;
    m->fd = fd;
    m->watchdog_ms = watchdog_interval_ms(options->get);
    m->status = loop_timer_new(options->loop, on_status, m);
    m->watchdog = loop_timer_new(options->loop, on_watchdog, m);
    loop_timer_unref(m->status);
    loop_timer_unref(m->watchdog);
    return m;
}

void service_manager_free(struct service_manager *m)
{
    if (!m)
        return;
    loop_timer_free(m->status);
    loop_timer_free(m->watchdog);
    close(m->fd);
    free(m->told);
    free(m);
}

void service_manager_ready(struct service_manager *m)
{
    if (!m)
        return;
    send_state(m, "READY=1");
    loop_timer_start(m->status, 0);
    if (m->watchdog_ms)
        loop_timer_start(m->watchdog, 0);
}

/* Type=notify-reload wants to know when it began, on the monotonic clock (sd_notify(3)). */
void service_manager_reloading(struct service_manager *m)
{
    struct timespec now;

    if (!m)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char *state = xasprintf("RELOADING=1\nMONOTONIC_USEC=%lld",
                            (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    send_state(m, state);
    free(state);
}

void service_manager_stopping(struct service_manager *m)
{
    if (!m)
        return;
    loop_timer_stop(m->status);
    send_state(m, "STOPPING=1\nSTATUS=Handing over what runs");
}
