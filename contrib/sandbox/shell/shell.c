#include "shell/internal.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Signals and the end of stdin come as readable files on the same loop. */
static int watch_callback(struct lws *wsi, enum lws_callback_reasons reason, void *session,
                          void *in, size_t len)
{
    struct shell *shell = lws_context_user(lws_get_context(wsi));
    char bytes[4096];

    (void)session;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_RAW_RX_FILE) {
        int fd = lws_get_socket_fd(wsi);
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n > 0 && fd == shell->stdin_fd)
            return 0; /* nobody listens to what is typed */
        shell_stop(shell);
        return -1;
    }
    /* A pipe that only hangs up is closed without being read. */
    if (reason == LWS_CALLBACK_RAW_CLOSE_FILE && !shell->stopping)
        shell_stop(shell);
    return 0;
}

static int service_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                            size_t len)
{
    struct session *session = user;
    struct lws_vhost *vhost = lws_get_vhost(wsi);
    struct service *service = vhost ? lws_get_vhost_user(vhost) : NULL;

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return exchange_request(service, session, wsi);
    case LWS_CALLBACK_HTTP_BODY:
        return exchange_body(session, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return exchange_body_end(session);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return exchange_writeable(session, wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return ws_upgrade(service, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        ws_established(service, session, wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return ws_received(session, wsi, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return ws_writeable(session, wsi);
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_WSI_DESTROY:
        if (session) {
            exchange_gone(session);
            ws_gone(session);
        }
        return 0;
    default:
        return 0;
    }
}

/* rx_buffer_size is above Slack's limit of 20,480 bytes, so that a legal message comes whole. */
static const struct lws_protocols protocols[] = {
    { "sandbox", service_callback, sizeof(struct session), 32768, 0, NULL, 0 },
    { "watch", watch_callback, 0, 0, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 },
};

static int block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

struct shell *shell_new(bool allow_kill, struct error *err)
{
    struct shell *shell = xcalloc(1, sizeof(*shell));
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6,
        .user = shell,
        .max_http_header_data = 60000,
        .max_http_header_pool = 2000,
        .fd_limit_per_thread = 4096,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };

    shell->allow_kill = allow_kill;
    shell->stdin_fd = -1;
    shell->signal_fd = block_signals();
    shell->journal = journal_new();
    lws_set_log_level(LLL_ERR, NULL);
    shell->context = lws_create_context(&info);
    if (!shell->context || shell->signal_fd < 0) {
        (void)error_set(err, ERR_CONFIG, "cannot start the server loop");
        shell_free(shell);
        return NULL;
    }
    return shell;
}

static void free_service(struct service *service)
{
    free(service->url);
    faults_free(service->faults);
    free(service);
}

void shell_free(struct shell *shell)
{
    if (!shell)
        return;
    exchange_forget_orphans(shell);
    if (shell->context)
        lws_context_destroy(shell->context);
    for (size_t i = 0; i < shell->n_services; i++)
        free_service(shell->services[i]);
    free(shell->services);
    for (size_t i = 0; i < shell->n_refusing; i++)
        close(shell->refusing[i]);
    free(shell->refusing);
    journal_free(shell->journal);
    free(shell);
}

struct service *shell_listen(struct shell *shell, const struct service_ops *ops, void *user,
                             int port, struct error *err)
{
    struct service *service = xcalloc(1, sizeof(*service));
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_DISABLE_IPV6,
        .port = port,
        .iface = "127.0.0.1",
        .vhost_name = ops->name,
        .protocols = protocols,
        .user = service,
        .keepalive_timeout = 60,
        .server_string = "sandbox",
    };

    service->shell = shell;
    service->ops = *ops;
    service->user = user;
    service->vhost = lws_create_vhost(shell->context, &info);
    if (!service->vhost || lws_get_vhost_listen_port(service->vhost) <= 0) {
        (void)error_set(err, ERR_CONFIG, "%s cannot listen on 127.0.0.1 port %d", ops->name, port);
        free(service);
        return NULL;
    }
    service->url = xasprintf("http://127.0.0.1:%d", lws_get_vhost_listen_port(service->vhost));
    service->faults = faults_new();
    *VEC_ADD(shell->services, shell->n_services, shell->cap_services) = service;
    return service;
}

/* A socket that is bound but does not listen: connections are refused, and nobody else gets the
 * port meanwhile. */
char *shell_refuse(struct shell *shell, int port, struct error *err)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = { htonl(INADDR_LOOPBACK) },
    };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        if (fd >= 0)
            close(fd);
        (void)error_set(err, ERR_CONFIG, "cannot occupy 127.0.0.1 port %d", port);
        return NULL;
    }
    *VEC_ADD(shell->refusing, shell->n_refusing, shell->cap_refusing) = fd;
    return xasprintf("http://127.0.0.1:%d", ntohs(address.sin_port));
}

const char *service_url(const struct service *service)
{
    return service->url;
}

struct faults *service_faults(struct service *service)
{
    return service->faults;
}

struct journal *shell_journal(struct shell *shell)
{
    return shell->journal;
}

static void watch(struct shell *shell, int fd)
{
    lws_sock_file_fd_type file = { .filefd = fd };

    (void)lws_adopt_descriptor_vhost(shell->services[0]->vhost, LWS_ADOPT_RAW_FILE_DESC, file,
                                     "watch", NULL);
}

void shell_run(struct shell *shell, bool watch_stdin)
{
    watch(shell, shell->signal_fd);
    if (watch_stdin) {
        shell->stdin_fd = STDIN_FILENO;
        watch(shell, STDIN_FILENO);
    }
    while (!shell->stopping && lws_service(shell->context, 0) >= 0)
        ;
}

void shell_stop(struct shell *shell)
{
    shell->stopping = true;
    lws_cancel_service(shell->context);
}

static void timer_fired(lws_sorted_usec_list_t *sul)
{
    struct timer *timer = lws_container_of(sul, struct timer, sul);

    timer->fire(timer->user); /* last: the owner may free the timer in it */
}

void timer_start(struct shell *shell, struct timer *timer, int64_t delay_ms,
                 void (*fire)(void *user), void *user)
{
    timer->fire = fire;
    timer->user = user;
    lws_sul_schedule(shell->context, 0, &timer->sul, timer_fired,
                     (delay_ms > 0 ? delay_ms : 1) * (lws_usec_t)1000);
}

void timer_cancel(struct timer *timer)
{
    lws_sul_cancel(&timer->sul);
}
