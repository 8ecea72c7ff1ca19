/*
 * slack_load - plays Slack's Socket Mode to one client and measures it: the client is started with
 * SLACK_API_URL set to here, gets slash commands at a given rate, open loop, and is timed.
 *
 *   slack_load [--tls CERT KEY] -- COMMAND ARGUMENT...
 *
 * One command a line on standard input, one line of JSON for each on standard output:
 *
 *   start                    starts the client; ms from exec to the hello of its first socket
 *   load RATE SECONDS TEXT   slash commands with that text; latencies, and the client's CPU seconds
 *   refresh                  tells the socket to go, as Slack does every few hours; ms without one
 *   idle SECONDS             nothing, connected; the client's CPU seconds
 *   stop                     SIGTERM, and how long the end took
 *
 * A latency counts from the moment when the command was due, not from when it was sent, so a
 * stalled client (or generator) is not spared what would have come meanwhile ("coordinated
 * omission"). Commands that are never acknowledged count as infinitely late. Everything that the
 * client asks the Web API is answered "ok"; other addresses (Sentry, GitHub) never answer, so
 * investigations stay where they are.
 */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

#define SECOND_NS INT64_C(1000000000)
#define START_LIMIT_NS (30 * SECOND_NS)
#define DRAIN_NS (5 * SECOND_NS)       /* for the acknowledgements of the last commands */
#define REFRESH_NS (12 * SECOND_NS)    /* what a client may take to come back */
#define OLD_SOCKET_NS (10 * SECOND_NS) /* Slack lets the old one live about as long */
#define MAX_BEHIND 4096                /* sent in one turn at most */
#define ID_BEGIN "\"envelope_id\":\""

struct load {
    struct wire *wire;
    char **command;
    pid_t client;
    clockid_t cpu;
    struct peer *sockets[64]; /* that have had their hello, oldest first */
    size_t n_sockets;
    size_t turn;                                     /* of the socket that gets the next command */
    uint64_t first_hello_ns, none_since_ns, none_ns; /* without a socket: since, in all */
    bool scheme_tls;

    /* One run of commands. */
    uint64_t number;             /* of the next command; the ids go on from run to run */
    uint64_t base;               /* number of the run's first */
    uint64_t began_ns, step_mns; /* step in thousandths of a nanosecond */
    size_t wanted, sent, acked;
    float *took_ms; /* negative: not yet */
    double late_ms; /* the generator itself, at most */
    char *text;
};

/* --- the sockets --- */

static void on_opened(void *user, struct peer *p)
{
    static const char hello[] =
        "{\"type\":\"hello\",\"num_connections\":1,\"debug_info\":{\"host\":\"bench\","
        "\"build_number\":1,\"approximate_connection_time\":18060},"
        "\"connection_info\":{\"app_id\":\"A012ABCDEF\"}}";
    struct load *l = user;

    wire_text(p, hello, sizeof(hello) - 1);
    if (l->n_sockets < sizeof(l->sockets) / sizeof(l->sockets[0]))
        l->sockets[l->n_sockets++] = p;
    if (!l->first_hello_ns)
        l->first_hello_ns = now_ns();
    if (l->none_since_ns)
        l->none_ns += now_ns() - l->none_since_ns;
    l->none_since_ns = 0;
}

static void on_closed(void *user, struct peer *p)
{
    struct load *l = user;
    size_t kept = 0;

    for (size_t i = 0; i < l->n_sockets; i++)
        if (l->sockets[i] != p)
            l->sockets[kept++] = l->sockets[i];
    l->n_sockets = kept;
    if (!kept && !l->none_since_ns)
        l->none_since_ns = now_ns();
}

static uint64_t due_ns(const struct load *l, size_t i)
{
    return l->began_ns + l->step_mns * i / 1000;
}

static void on_text(void *user, struct peer *p, const char *text, size_t len)
{
    struct load *l = user;
    const char *id = memmem(text, len, ID_BEGIN, sizeof(ID_BEGIN) - 1);

    (void)p;
    if (!id || len - (size_t)(id - text) < sizeof(ID_BEGIN) + 36)
        return;
    uint64_t number = strtoull(id + sizeof(ID_BEGIN) - 1 + 24, NULL, 16);
    if (number < l->base || number >= l->base + l->sent)
        return;
    size_t i = number - l->base;
    if (l->took_ms[i] >= 0)
        return;
    l->took_ms[i] = (float)((double)(now_ns() - due_ns(l, i)) / 1e6);
    l->acked++;
}

/* --- the Web API --- */

static void on_request(void *user, struct peer *p, const char *path)
{
    struct load *l = user;
    static uint64_t ts;
    char answer[512];

    if (strncmp(path, "/api/", 5) != 0 || strncmp(path, "/api/0/", 7) == 0)
        return; /* a source: never answers */
    if (strstr(path, "apps.connections.open"))
        snprintf(answer, sizeof(answer),
                 "{\"ok\":true,\"url\":\"%s://127.0.0.1:%d/link/?ticket=bench&app_id=A012\"}",
                 l->scheme_tls ? "wss" : "ws", wire_port(l->wire));
    else
        snprintf(answer, sizeof(answer),
                 "{\"ok\":true,\"ts\":\"1700000000.%06" PRIu64 "\",\"message\":{},"
                 "\"url\":\"https://bench.slack.com/\",\"team\":\"bench\",\"user\":{\"id\":"
                 "\"U012ABCDEF\",\"team_id\":\"T012ABCDEF\",\"name\":\"mia\"},\"team_id\":"
                 "\"T012ABCDEF\",\"user_id\":\"U0BOT00000\",\"bot_id\":\"B012ABCDEF\",\"channel\":{"
                 "\"id\":\"C012ABCDEF\",\"is_private\":false,\"is_member\":true}}",
                 ts++ % 1000000);
    wire_answer(p, answer);
}

/* --- the client --- */

static double cpu_seconds(const struct load *l)
{
    struct timespec t;

    if (clock_gettime(l->cpu, &t) < 0)
        return NAN;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void spawn(struct load *l)
{
    char url[128], base[64];

    snprintf(base, sizeof(base), "%s://127.0.0.1:%d", l->scheme_tls ? "https" : "http",
             wire_port(l->wire));
    snprintf(url, sizeof(url), "%s/api/", base);
    setenv("SLACK_API_URL", url, 1);
    setenv("SENTRY_URL", base, 1);
    fflush(stdout);
    l->client = fork();
    if (l->client == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(l->command[0], l->command);
        perror(l->command[0]);
        _exit(127);
    }
    (void)clock_getcpuclockid(l->client, &l->cpu);
}

static bool is_gone(struct load *l)
{
    return l->client > 0 && waitpid(l->client, NULL, WNOHANG) == l->client;
}

static void start(struct load *l)
{
    uint64_t began = now_ns();

    l->first_hello_ns = l->none_since_ns = 0;
    spawn(l);
    while (!l->first_hello_ns && now_ns() - began < (uint64_t)START_LIMIT_NS) {
        (void)wire_turn(l->wire, SECOND_NS / 10, -1);
        if (is_gone(l))
            break;
    }
    if (!l->first_hello_ns) {
        fprintf(stderr, "bench: %s opened no socket\n", l->command[0]);
        exit(1);
    }
    printf("{\"exec_to_hello_ms\":%.3f,\"pid\":%d}\n", (double)(l->first_hello_ns - began) / 1e6,
           (int)l->client);
}

static void stop(struct load *l)
{
    uint64_t began = now_ns();

    kill(l->client, SIGTERM);
    while (!is_gone(l) && now_ns() - began < (uint64_t)START_LIMIT_NS)
        (void)wire_turn(l->wire, SECOND_NS / 1000, -1);
    printf("{\"stop_ms\":%.3f,\"cpu_s\":0}\n", (double)(now_ns() - began) / 1e6);
    l->client = 0;
}

static void idle(struct load *l, double seconds)
{
    uint64_t until = now_ns() + (uint64_t)(seconds * 1e9);
    double cpu = cpu_seconds(l);

    while (now_ns() < until)
        (void)wire_turn(l->wire, SECOND_NS / 20, -1);
    printf("{\"cpu_s\":%.6f,\"sockets\":%zu}\n", cpu_seconds(l) - cpu, l->n_sockets);
}

static void refresh(struct load *l)
{
    static const char go[] = "{\"type\":\"disconnect\",\"reason\":\"refresh_requested\","
                             "\"debug_info\":{\"host\":\"bench\"}}";
    struct peer *old = l->n_sockets ? l->sockets[l->n_sockets - 1] : NULL;
    uint64_t began = now_ns(), hello_before = l->first_hello_ns;

    l->none_ns = 0;
    l->first_hello_ns = 0;
    if (old)
        wire_text(old, go, sizeof(go) - 1);
    /* Until there is a new one and the old one has gone; Slack cuts it in the end. */
    bool old_is_there = old != NULL;
    while (now_ns() - began < (uint64_t)REFRESH_NS && (old_is_there || !l->first_hello_ns)) {
        (void)wire_turn(l->wire, SECOND_NS / 1000, -1);
        old_is_there = false;
        for (size_t i = 0; i < l->n_sockets; i++)
            old_is_there |= l->sockets[i] == old;
        if (old_is_there && now_ns() - began > (uint64_t)OLD_SOCKET_NS)
            wire_close(old);
    }
    if (l->none_since_ns) /* it is away still */
        l->none_ns += now_ns() - l->none_since_ns;
    printf("{\"gap_ms\":%.3f,\"new_after_ms\":%.3f}\n", (double)l->none_ns / 1e6,
           l->first_hello_ns ? (double)(l->first_hello_ns - began) / 1e6 : -1);
    if (!l->first_hello_ns)
        l->first_hello_ns = hello_before;
}

/* --- commands at a rate --- */

/* What Slack sends for a slash command (docs.slack.dev, "Using Socket Mode", "Slash commands"). */
static void send_command(struct load *l, struct peer *p)
{
    char text[2048];
    uint64_t n = l->number++;
    int len = snprintf(
        text, sizeof(text),
        "{\"envelope_id\":\"7fb6dcd0-58a1-4b2e-a0c1-%012" PRIx64 "\",\"payload\":{\"token\":"
        "\"bHKJ2n9AW6Ju3MjciOHfbA1b\",\"team_id\":\"T012ABCDEF\",\"team_domain\":\"bench\","
        "\"channel_id\":\"C012ABCDEF\",\"channel_name\":\"incident-42\",\"user_id\":\"U012ABCDEF\","
        "\"user_name\":\"mia\",\"command\":\"\\/dbconn\",\"text\":\"%s\",\"api_app_id\":"
        "\"A012ABCDEF\",\"is_enterprise_install\":\"false\",\"response_url\":"
        "\"https:\\/\\/hooks.slack.com\\/commands\\/T012ABCDEF\\/1234567890123\\/"
        "aBcDeFgHiJkLmNoPqRsTuVwX\",\"trigger_id\":\"1234567890123.1234567890.%032" PRIx64 "\"},"
        "\"type\":\"slash_commands\",\"accepts_response_payload\":true}",
        n, l->text, n);

    wire_text(p, text, (size_t)len);
}

/* Sends what is due. */
static void send_due(struct load *l)
{
    uint64_t now = now_ns();
    size_t many = 0;

    while (l->sent < l->wanted && due_ns(l, l->sent) <= now && l->n_sockets &&
           many++ < MAX_BEHIND) {
        double late = (double)(now - due_ns(l, l->sent)) / 1e6;
        if (late > l->late_ms)
            l->late_ms = late;
        l->took_ms[l->sent++] = -1;
        send_command(l, l->sockets[l->turn++ % l->n_sockets]);
    }
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static double at_part(const struct load *l, double part)
{
    size_t i = (size_t)ceil(part * (double)l->wanted);

    return (double)l->took_ms[i ? i - 1 : 0];
}

static void tell_run(struct load *l, double rate, double cpu, double seconds)
{
    static const double parts[] = { 0.5, 0.99, 0.999, 1 };
    static const char *const names[] = { "p50_ms", "p99_ms", "p999_ms", "max_ms" };

    for (size_t i = 0; i < l->wanted; i++)
        if (i >= l->sent || l->took_ms[i] < 0)
            l->took_ms[i] = 1e9f; /* never */
    qsort(l->took_ms, l->wanted, sizeof(*l->took_ms), by_value);
    printf("{\"rate\":%.0f,\"wanted\":%zu,\"acked\":%zu,", rate, l->wanted, l->acked);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        printf("\"%s\":%.4f,", names[i], at_part(l, parts[i]));
    printf("\"generator_late_ms\":%.3f,\"cpu_s\":%.6f,\"cpu_s_per_1000\":%.5f,\"seconds\":%.3f}\n",
           l->late_ms, cpu, cpu * 1000 / (double)l->wanted, seconds);
}

static void run(struct load *l, double rate, double seconds, const char *text)
{
    l->text = xstrdup(text);
    l->wanted = (size_t)(rate * seconds + 0.5);
    l->sent = l->acked = 0;
    l->late_ms = 0;
    l->took_ms = xcalloc(l->wanted ? l->wanted : 1, sizeof(*l->took_ms));
    l->base = l->number;
    l->step_mns = (uint64_t)(1e12 / rate);
    double cpu = cpu_seconds(l);
    l->began_ns = now_ns() + (uint64_t)SECOND_NS / 1000;
    uint64_t give_up = due_ns(l, l->wanted) + (uint64_t)DRAIN_NS;
    while (l->acked < l->wanted && now_ns() < give_up) {
        send_due(l);
        uint64_t now = now_ns(), due = l->sent < l->wanted ? due_ns(l, l->sent) : give_up;
        (void)wire_turn(l->wire, due > now ? (int64_t)(due - now) : 0, -1);
    }
    tell_run(l, rate, cpu_seconds(l) - cpu, (double)(now_ns() - l->began_ns) / 1e9);
    free(l->took_ms);
    free(l->text);
}

/* --- the front --- */

static bool obey(struct load *l, char *line)
{
    double rate, seconds;
    int text_at = 0;

    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "start") == 0)
        start(l);
    else if (strcmp(line, "stop") == 0)
        stop(l);
    else if (strcmp(line, "refresh") == 0)
        refresh(l);
    else if (sscanf(line, "idle %lf", &seconds) == 1)
        idle(l, seconds);
    else if (sscanf(line, "load %lf %lf %n", &rate, &seconds, &text_at) == 2 && text_at)
        run(l, rate, seconds, line + text_at);
    else {
        fprintf(stderr, "bench: what is \"%s\"?\n", line);
        return false;
    }
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    struct load l = { 0 };
    struct wire_events events = { on_request, on_opened, on_text, on_closed, &l };
    bool tls = argc > 4 && strcmp(argv[1], "--tls") == 0;
    int at = tls ? 4 : 1;
    char line[1024];

    if (argc < at + 2 || strcmp(argv[at], "--") != 0) {
        fputs("Usage: slack_load [--tls CERT KEY] -- COMMAND ARGUMENT...\n", stderr);
        return 2;
    }
    (void)prctl(PR_SET_TIMERSLACK, 1);
    setvbuf(stdin, NULL, _IONBF, 0);
    l.command = argv + at + 1;
    l.scheme_tls = tls;
    l.wire = wire_new(&events, tls ? argv[2] : NULL, tls ? argv[3] : NULL);
    bool ok = true;
    for (;;) {
        while (!wire_turn(l.wire, SECOND_NS, STDIN_FILENO)) {
        }
        if (!ok || !fgets(line, sizeof(line), stdin))
            break;
        ok = obey(&l, line);
    }
    if (l.client > 0)
        stop(&l);
    wire_free(l.wire);
    return ok ? 0 : 1;
}
