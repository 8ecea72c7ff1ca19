#include "playbook_facts.h"

#include <string.h>

#include "dbconn/base/alloc.h"

#define ISSUE "issue_details"
#define EVENTS "event_analysis"
#define CONNECTION "connection_details"
#define RELEASES "release_timeline"
#define LOGS "log_search"
#define SIMILAR "similar_issues"
#define TAGS "issue_tags"
#define ASSESSMENT "assessment"

const struct fact_help fact_helps[] = {
    { "issue.id", ISSUE, "text", "numeric id" },
    { "issue.short_id", ISSUE, "text", "short id, such as SHOP-1A2" },
    { "issue.title", ISSUE, "text", "title" },
    { "issue.url", ISSUE, "text", "address at Sentry" },
    { "issue.project", ISSUE, "text", "slug of its project" },
    { "issue.project_id", ISSUE, "text", "number of its project" },
    { "issue.platform", ISSUE, "text", "python, java, ..." },
    { "issue.level", ISSUE, "text", "error, warning, ..." },
    { "issue.priority", ISSUE, "text", "high, medium, low" },
    { "issue.status", ISSUE, "text", "unresolved, resolved, ignored" },
    { "issue.substatus", ISSUE, "text", "new, ongoing, escalating, regressed, ..." },
    { "issue.first_seen", ISSUE, "time", "its first event" },
    { "issue.last_seen", ISSUE, "time", "its last event" },
    { "issue.events", ISSUE, "number", "events in all" },
    { "issue.users", ISSUE, "number", "affected users" },
    { "issue.error_type", ISSUE, "text", "type of the exception" },
    { "issue.error_value", ISSUE, "text", "its message" },
    { "issue.error_line", ISSUE, "text", "both in one line" },
    { "issue.filename", ISSUE, "text", "file that Sentry shows for it" },
    { "issue.first_release", ISSUE, "text", "release of its first event" },
    { "issue.last_release", ISSUE, "text", "release of its last event" },
    { "issue.package", ISSUE, "text", "package of its first release" },
    { "issue.failure", ISSUE, "text", "kind of failure by the title alone" },
    { "issue.database", ISSUE, "yes/no", "is it a database's, by the title alone" },

    { "event.id", EVENTS, "text", "the latest event" },
    { "event.url", EVENTS, "text", "its address at Sentry" },
    { "event.at", EVENTS, "time", "when it happened" },
    { "event.release", EVENTS, "text", "its release" },
    { "events.listed", EVENTS, "number", "events that were read one by one" },
    { "events.capped", EVENTS, "yes/no", "there are more events than were read" },
    { "events.environment", EVENTS, "text", "environment of most of them" },
    { "failures.counts", EVENTS, "list", "how often each kind of failure was seen" },
    { "failures.kinds", EVENTS, "number", "how many kinds of failure the issue mixes" },
    { "failures.pool_full", EVENTS, "share",
      "of the events since the onset that say that the client's own pool is used up" },
    { "failures.share.*", EVENTS, "share",
      "of the events since the onset that are of this kind, such as failures.share.timeout" },
    { "trend.kind", EVENTS, "text",
      "constant, spike, gradual_increase, intermittent, bounded, unknown" },
    { "trend.onset", EVENTS, "time", "when the errors began" },
    { "trend.onset_slack", EVENTS, "ms", "how much later than that it may have been" },
    { "trend.end", EVENTS, "time", "when they ended" },
    { "trend.last_event", EVENTS, "time", "the last event of the outage" },
    { "trend.length", EVENTS, "ms", "from the onset to the last event" },
    { "trend.ongoing", EVENTS, "yes/no", "do they go on" },
    { "trend.events", EVENTS, "number", "events of the outage" },
    { "trend.jump", EVENTS, "number", "rate after the onset by the rate before" },
    { "trend.slope", EVENTS, "number", "rate in the outage's last third by that in its first" },
    { "trend.duty", EVENTS, "share", "of the outage that its bursts fill" },
    { "trend.rate", EVENTS, "number", "events per hour since the onset" },
    { "trend.bursts", EVENTS, "number", "bursts with quiet in between" },
    { "trend.confidence", EVENTS, "share", "how clear the kind of trend is" },

    { "failure.kind", CONNECTION, "text",
      "connection_refused, timeout, dns_failure, host_unreachable, connection_reset, "
      "too_many_connections, authentication_failed, tls_failure, unknown_database, "
      "server_starting_up, socket_missing, other" },
    { "failure.applicable", CONNECTION, "yes/no",
      "a database connection that could not be made: what this playbook is for" },
    { "failure.database", CONNECTION, "yes/no", "is it a database at all" },
    { "failure.instead", CONNECTION, "text", "what it is when it is no database" },
    { "target.all", CONNECTION, "list", "every address that the error names" },
    { "target.engine", CONNECTION, "text", "postgresql, mysql, ..., unknown" },
    { "target.host", CONNECTION, "text", "the address that fails" },
    { "target.port", CONNECTION, "text", "its port" },
    { "target.database", CONNECTION, "text", "name of the database" },
    { "target.user", CONNECTION, "text", "who connects" },
    { "target.local", CONNECTION, "yes/no", "a loopback address or a socket" },

    { "release.near", RELEASES, "list", "releases near the onset, the most suspicious first" },
    { "release.near_count", RELEASES, "number", "releases that went live near the onset" },

    { "logs.looked", LOGS, "yes/no", "were any logs searched" },
    { "logs.records", LOGS, "number", "log lines read" },
    { "logs.tie", LOGS, "text", "is the machine the refused server: certain, likely, unknown" },
    { "logs.machine", LOGS, "text", "the machine behind the refused address" },
    { "logs.other_restart", LOGS, "yes/no", "another database server restarted near the onset" },
    { "server.down", LOGS, "yes/no", "it went down during the errors" },
    { "server.back", LOGS, "yes/no", "it came back" },
    { "server.down_at", LOGS, "time", "when it went down" },
    { "server.up_at", LOGS, "time", "when it came back" },
    { "server.down_kind", LOGS, "text",
      "how: server_shutdown, server_crash, server_oom_killed, machine_reboot, failover, ..." },
    { "server.start_failed", LOGS, "yes/no", "it tried to start and failed" },
    { "server.healthy", LOGS, "yes/no", "it worked on during the errors" },
    { "server.slots", LOGS, "number", "lines that say that its connection slots are used up" },
    { "server.outages", LOGS, "number", "times it went down in the searched time" },
    { "server.bursts", LOGS, "number", "bursts of errors at which it went down and came back" },
    { "server.oom", LOGS, "number", "times the kernel killed it for memory" },
    { "server.disk_full", LOGS, "number", "lines that say that its disk is full" },
    { "server.failover", LOGS, "number", "lines about a failover of it" },
    { "network.faults", LOGS, "number", "lines of the network about faults, during the errors" },
    { "network.target_faults", LOGS, "number", "those that name the refused address" },
    { "network.bursts", LOGS, "number", "bursts of errors that such a line coincides with" },
    { "network.policy", LOGS, "yes/no", "a firewall or network policy changed near the onset" },
    { "network.region", LOGS, "text", "the region that the network's lines name" },
    { "clients.complaints", LOGS, "number", "clients' lines about failed connections" },
    { "clients.successes", LOGS, "number", "clients' lines about good ones, at the same time" },
    { "clients.regions", LOGS, "list", "both by region" },
    { "clients.hosts", LOGS, "list", "both by machine" },
    { "pooler.down", LOGS, "number", "lines that say that a connection pooler is down" },
    { "pooler.backend_failed", LOGS, "number", "lines of poolers about the server behind them" },
    { "balancer.down", LOGS, "number", "lines of balancers that took the server out" },
    { "service.no_endpoints", LOGS, "number", "lines about a Kubernetes Service without pods" },
    { "service.unserved", LOGS, "number",
      "those about the refused one during the errors, unless its server is known to work" },

    { "similar.count", SIMILAR, "number", "other issues that were looked at" },
    { "similar.baseline_rows", SIMILAR, "number", "usual events to compare with" },

    { "tags.keys", TAGS, "number", "tags of the issue" },
    { "tags.telling", TAGS, "number", "those that tell where it happens" },

    { "impact.kind", ASSESSMENT, "text", "all, segment, unknown" },
    { "impact.class", ASSESSMENT, "text", "of the segment: infrastructure, usage, none" },
    { "impact.tag", ASSESSMENT, "text", "the segment's tag, such as region" },
    { "impact.value", ASSESSMENT, "text", "its value" },
    { "impact.share", ASSESSMENT, "share", "of the errors that come from it" },
    { "impact.confidence", ASSESSMENT, "share", "how clear that is" },
    { "impact.few_users", ASSESSMENT, "yes/no", "only a handful of many active users are hit" },
    { "release.strength", ASSESSMENT, "text",
      "how strongly a release is tied to the errors: decisive, likely, weak, none" },
    { "release.suspect", ASSESSMENT, "text", "that release" },
    { "release.relation", ASSESSMENT, "text",
      "began_with_it, increased_with_it, coincides_only, older, younger_than_onset, unknown" },
    { "release.acquitted", ASSESSMENT, "yes/no", "the evidence shows that no release began it" },
    { "release.confined", ASSESSMENT, "yes/no", "only events on it fail" },
    { "release.others_healthy", ASSESSMENT, "yes/no", "hosts on another release work" },
    { "release.ended_with_next", ASSESSMENT, "yes/no", "the errors ended with a later release" },
    { "release.ended_by", ASSESSMENT, "text", "that later release" },
    { "release.lead", ASSESSMENT, "ms", "how long it was live when the errors began" },
    { "change.inspected", ASSESSMENT, "yes/no", "its diff was read in full" },
    { "change.setting", ASSESSMENT, "yes/no", "it changes how this database is connected to" },
    { "change.matches", ASSESSMENT, "yes/no", "a new value is the address that fails" },
    { "change.place", ASSESSMENT, "yes/no", "only files of the one place that fails name it" },
    { "change.kind", ASSESSMENT, "text", "what it changes: host, port, pool, ..." },
    { "change.settings", ASSESSMENT, "number", "changed connection settings" },
    { "change.mismatching", ASSESSMENT, "number", "those that name another address" },
    { "change.pool", ASSESSMENT, "number", "changed pool sizes" },
    { "change.pool_raised", ASSESSMENT, "number", "raised ones" },
    { "change.pool_lowered", ASSESSMENT, "number", "lowered ones" },
    { "change.demand", ASSESSMENT, "number",
      "changes that need more connections: replicas, workers" },
    { "wider.verdict", ASSESSMENT, "text",
      "shared_deployment, shared_database, together, isolated" },
    { "wider.confidence", ASSESSMENT, "share", "how clear that is" },
    { "wider.projects", ASSESSMENT, "number", "projects whose issues began together" },
    { "wider.same_target_projects", ASSESSMENT, "number", "those that fail at the same address" },
    { "wider.not_database", ASSESSMENT, "number", "issues among them that are no database's" },
    { "wider.release_projects", ASSESSMENT, "number",
      "those among them that had just got the shared release" },
    { "wider.release", ASSESSMENT, "text", "the shared release" },
    { "wider.train", ASSESSMENT, "yes/no", "several projects were deployed as one train" },
    { "clients.elsewhere_fine", ASSESSMENT, "yes/no",
      "clients in other places reach the same database" },
    { "server.burst_share", ASSESSMENT, "share", "of the bursts at which the server restarted" },
    { "network.burst_share", ASSESSMENT, "share", "of the bursts that coincide with the network" },
    { "step.*", ASSESSMENT, "text",
      "a step's outcome, such as step.log_search: complete, partial, failed, skipped" },
};

const size_t n_fact_helps = ARRAY_LEN(fact_helps);

const struct fact_help *fact_help_find(const char *name)
{
    for (size_t i = 0; i < n_fact_helps; i++) {
        size_t len = strlen(fact_helps[i].name);
        if (strcmp(fact_helps[i].name, name) == 0)
            return &fact_helps[i];
        if (fact_helps[i].name[len - 1] == '*' && strlen(name) >= len &&
            strncmp(fact_helps[i].name, name, len - 1) == 0)
            return &fact_helps[i];
    }
    return NULL;
}
