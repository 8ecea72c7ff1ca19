#include "assess.h"

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"

static void put_str(struct evidence *board, const char *name, const char *value)
{
    if (value)
        evidence_set_str(board, ASSESSMENT, name, value, NULL, NULL);
}

static void put_num(struct evidence *board, const char *name, double value)
{
    evidence_set_num(board, ASSESSMENT, name, value, NULL, NULL);
}

/* ---- who is hit ---- */

/* Rows since the onset; what lies before it is background. */
static size_t since_onset(struct rowset *rows, const struct evidence *board)
{
    int64_t onset = evidence_time(board, "trend.onset");
    size_t kept = 0;

    if (onset == TIME_UNKNOWN)
        return rows->n;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->rows[i].at_ms >= onset)
            rows->rows[kept++] = rows->rows[i];
    return kept;
}

static void put_impact(struct evidence *board, const struct impact *impact)
{
    const char *url = evidence_str(board, "issue.url");

    evidence_set_str(board, ASSESSMENT, "impact.kind", impact_kind_name(impact->kind), impact->why,
                     url);
    put_num(board, "impact.confidence", impact->confidence);
    evidence_set_bool(board, ASSESSMENT, "impact.few_users", impact->few_users, NULL, NULL);
    if (impact->n_candidates)
        evidence_set_str(board, ASSESSMENT, "impact.nearest", impact->candidates[0].key,
                         impact->candidates[0].why, url);
    if (!impact->segment) {
        put_str(board, "impact.class", "none");
        return;
    }
    put_str(board, "impact.tag", impact->segment->key);
    put_str(board, "impact.value", impact->segment->value);
    put_num(board, "impact.share", impact->segment->share);
    put_str(board, "impact.class", impact_class_name(impact->segment->class));
}

void assess_impact(struct evidence *board)
{
    struct rowset rows, baseline;
    struct tag_table tags;
    struct impact impact;

    rowset_load(board, TABLE_ROWS, &rows);
    rowset_load(board, TABLE_BASELINE, &baseline);
    tag_table_load(board, &tags);
    struct impact_input in = { .events = rows.rows,
                               .n_events = since_onset(&rows, board),
                               .event_tags = tags.items,
                               .n_event_tags = tags.n,
                               .baseline = baseline.rows,
                               .n_baseline = baseline.n,
                               .users_hit = -1,
                               .users_usual = -1 };
    impact_analyse(&in, NULL, &impact);
    put_impact(board, &impact);
    impact_clear(&impact);
    tag_table_clear(&tags);
    rowset_clear(&baseline);
    rowset_clear(&rows);
}

/* ---- which release ---- */

static const char *release_url(const struct release_table *table, const char *version,
                               const struct evidence *board)
{
    const char *url = json_str(release_table_find(table, version), "url");

    return url ? url : evidence_str(board, "issue.url");
}

static void put_suspect(struct evidence *board, const struct rollout_candidate *r, const char *url)
{
    evidence_set_str(board, ASSESSMENT, "release.suspect", r->version, r->why, url);
    put_str(board, "release.relation", rollout_relation_name(r->relation));
    evidence_set_tri(board, ASSESSMENT, "release.confined", r->confined, r->why, url,
                     "too few events carry a release");
    evidence_set_tri(board, ASSESSMENT, "release.others_healthy", r->others_healthy, r->why, url,
                     "no traffic of hosts on another release was seen");
    evidence_set_tri(board, ASSESSMENT, "release.ended_with_next", r->ended_with_next, r->why, url,
                     "no later release went out near the end");
    put_str(board, "release.ended_by", r->ended_by);
    if (r->lead_ms != TIME_UNKNOWN)
        put_num(board, "release.lead", (double)r->lead_ms);
}

/* Whether the time fits or not: hosts that are alive without it and do not fail. */
static const struct rollout_candidate *apart_from_healthy_hosts(const struct rollout *rollout)
{
    for (size_t i = 0; i < rollout->n_candidates; i++)
        if (rollout->candidates[i].others_healthy == YES)
            return &rollout->candidates[i];
    return NULL;
}

static void put_rollout(struct evidence *board, const struct rollout *rollout,
                        const struct release_table *table)
{
    const struct rollout_candidate *v = rollout->verdict;
    const char *url = v ? release_url(table, v->version, board) : evidence_str(board, "issue.url");

    evidence_set_str(board, ASSESSMENT, "release.strength",
                     rollout_strength_name(v ? rollout->strength : ROLLOUT_NONE), rollout->why,
                     url);
    evidence_set_tri(board, ASSESSMENT, "release.acquitted", rollout->acquitted, rollout->why, url,
                     "nothing shows whether other releases fail as well");
    if (v) {
        put_suspect(board, v, url);
        return;
    }
    v = apart_from_healthy_hosts(rollout);
    if (v)
        evidence_set_tri(board, ASSESSMENT, "release.others_healthy", YES, v->why,
                         release_url(table, v->version, board), NULL);
}

void assess_release(struct evidence *board, int64_t now_ms)
{
    struct release_table table;
    struct rowset rows, baseline;
    struct trend_case tc;
    struct trend trend;
    struct rollout rollout;

    if (!evidence_json(board, TABLE_RELEASES)) {
        evidence_set_unknown(board, ASSESSMENT, "release.strength",
                             "the releases could not be read");
        return;
    }
    release_table_load(board, TABLE_RELEASES, &table);
    assess_ties(board, table.items, table.n);
    rowset_load(board, TABLE_ROWS, &rows);
    rowset_load(board, TABLE_BASELINE, &baseline);
    trend_case_load(board, now_ms, &tc);
    trend_analyse(&tc.in, NULL, &trend);
    struct rollout_input in = { .releases = table.items,
                                .n_releases = table.n,
                                .events = rows.rows,
                                .n_events = rows.n,
                                .baseline = baseline.rows,
                                .n_baseline = baseline.n,
                                .environment = evidence_str(board, "events.environment"),
                                .trend = &trend,
                                .slots_ran_out = assess_slots_ran_out(board),
                                .now_ms = now_ms };
    rollout_analyse(&in, NULL, &rollout);
    put_rollout(board, &rollout, &table);
    rollout_clear(&rollout);
    trend_clear(&trend);
    trend_case_clear(&tc);
    rowset_clear(&baseline);
    rowset_clear(&rows);
    release_table_clear(&table);
}

/* ---- the wider picture ---- */

static void put_cluster(struct evidence *board, const struct cluster *cluster)
{
    const char *url = evidence_str(board, "issue.url");

    evidence_set_str(board, ASSESSMENT, "wider.verdict", cluster_verdict_name(cluster->verdict),
                     cluster->why, url);
    put_num(board, "wider.confidence", cluster->confidence);
    put_num(board, "wider.projects", (double)cluster->n_projects);
    put_num(board, "wider.same_target_projects", (double)cluster->n_same_target_projects);
    put_num(board, "wider.not_database", (double)cluster->n_not_database);
    put_num(board, "wider.release_projects", (double)cluster->n_release_projects);
    put_str(board, "wider.release",
            cluster->own_release ? cluster->own_release : cluster->shared_release);
    evidence_set_bool(board, ASSESSMENT, "wider.train", cluster->train, NULL, NULL);
}

static bool on_our_target(const struct cluster_input *in, const struct cluster_issue *i)
{
    bool same = i->host && in->host && text_isame(i->host, in->host);

    for (size_t a = 0; a < in->n_aliases; a++)
        same |= i->host && text_isame(i->host, in->aliases[a]);
    return same && (!i->port || !in->port || text_same(i->port, in->port));
}

/* Other projects that began to fail on the same target while ours did. A service that uses the
 * database seldom notices late, so minutes do not matter here. */
static void put_same_target(struct evidence *board, const struct cluster_input *in)
{
    int64_t last = evidence_time(board, "trend.last_event");
    const char *seen[16];
    size_t n = 0;
    struct buf names = BUF_INIT;

    for (size_t i = 0; i < in->n_issues && n < ARRAY_LEN(seen); i++) {
        const struct cluster_issue *issue = &in->issues[i];
        bool known = text_same(issue->project, in->project);
        for (size_t p = 0; p < n; p++)
            known |= text_same(issue->project, seen[p]);
        if (known || !on_our_target(in, issue) || issue->onset_ms == TIME_UNKNOWN ||
            issue->onset_ms + issue->onset_slack_ms < in->onset_ms - 15 * MINUTE_MS ||
            (last != TIME_UNKNOWN && issue->onset_ms > last))
            continue;
        seen[n++] = issue->project;
        buf_addf(&names, "%s%s (%s)", names.len ? ", " : "", issue->project,
                 issue->short_id ? issue->short_id : issue->id);
    }
    char *text =
        xasprintf("Other services fail on the same database since then: %s.", buf_str(&names));
    evidence_set_num(board, ASSESSMENT, "wider.same_target_during", (double)n, n ? text : NULL,
                     evidence_str(board, "issue.url"));
    free(text);
    buf_clear(&names);
}

void assess_wider(struct evidence *board, int64_t now_ms)
{
    struct cluster_case cc;
    struct cluster cluster;
    const cJSON *alias;
    const char *aliases[16] = { NULL };

    cluster_case_load(board, now_ms, &cc);
    cJSON_ArrayForEach (alias,
                        json_get(json_first(evidence_json(board, "target.all")), "aliases")) {
        if (cJSON_IsString(alias) && cc.in.n_aliases < ARRAY_LEN(aliases))
            aliases[cc.in.n_aliases++] = alias->valuestring;
    }
    cc.in.aliases = aliases;
    put_same_target(board, &cc.in);
    cluster_analyse(&cc.in, NULL, &cluster);
    if (cluster.verdict == CLUSTER_UNKNOWN)
        evidence_set_unknown(board, ASSESSMENT, "wider.verdict", cluster.why);
    else
        put_cluster(board, &cluster);
    cluster_clear(&cluster);
    cluster_case_clear(&cc);
}

/* ---- the logs against the rest ---- */

/* Do clients in other places reach the same database while ours do not? Regions with complaints
 * only, next to regions with successes only. */
static enum tristate elsewhere_fine(const cJSON *places)
{
    const cJSON *place;
    size_t failing = 0, fine = 0;

    cJSON_ArrayForEach (place, places) {
        int64_t complaints = 0, successes = 0;
        (void)json_i64(place, "complaints", &complaints);
        (void)json_i64(place, "successes", &successes);
        failing += complaints > 0 && complaints >= successes;
        fine += successes > 0 && complaints * 4 < successes;
    }
    return failing && fine ? YES : failing || fine ? NO : UNKNOWN;
}

static void put_burst_share(struct evidence *board, const char *count, const char *share)
{
    const cJSON *bursts = evidence_json(board, "trend.bursts");
    double near = 0;

    if (evidence_num(board, count, &near) && cJSON_IsNumber(bursts) && bursts->valuedouble > 0)
        put_num(board, share, near / bursts->valuedouble);
}

void assess_logs(struct evidence *board)
{
    const cJSON *regions = evidence_json(board, "clients.regions");

    evidence_set_tri(board, ASSESSMENT, "clients.elsewhere_fine", elsewhere_fine(regions), NULL,
                     NULL, "the logs do not tell which clients succeed");
    put_burst_share(board, "network.bursts", "network.burst_share");
    put_burst_share(board, "server.bursts", "server.burst_share");
}
