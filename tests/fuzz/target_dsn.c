/* Connection strings in running text; no password is kept. */
#include <string.h>

#include "dbconn/analysis/dsn.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "fuzz.h"

static void check_kept(const char *text, bool may_hold_it)
{
    FUZZ_CHECK(!text || may_hold_it || !strstr(text, FUZZ_SECRET));
}

static void check_all(const char *text, bool may_hold_it)
{
    struct dsn d;
    size_t from = 0, start, end, len = strlen(text);

    while (dsn_find(text, from, &start, &end, &d)) {
        FUZZ_CHECK(start >= from && start < end && end <= len);
        for (size_t i = 0; i < d.n_hosts; i++) {
            check_kept(d.hosts[i].host, may_hold_it);
            check_kept(d.hosts[i].port, may_hold_it);
        }
        check_kept(d.database, may_hold_it);
        check_kept(d.user, may_hold_it);
        check_kept(d.scheme, may_hold_it);
        dsn_clear(&d);
        from = end;
    }
}

static void check_split(const char *text)
{
    struct dsn_host host = { NULL, NULL };
    size_t len = strlen(text), extent = url_extent(text, len);
    long colon = -1, at;

    dsn_split_host(text, len, &host);
    free(host.host);
    free(host.port);
    free(dsn_port(text, len));
    FUZZ_CHECK(extent <= len);
    for (int database = 0; database < 2; database++) {
        at = url_userinfo(text, extent, database, &colon);
        FUZZ_CHECK(at < (long)extent);
        FUZZ_CHECK(at < 0 || colon < at);
    }
}

void fuzz_dsn(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    char *text = fuzz_rest(&in);
    struct buf with_dsn = BUF_INIT;

    check_all(text, true);
    check_split(text);
    buf_addf(&with_dsn, "%s\npostgresql://app:" FUZZ_SECRET "@db-1:5432/shop\n", text);
    check_all(buf_str(&with_dsn), strstr(text, FUZZ_SECRET) != NULL);
    buf_clear(&with_dsn);
    free(text);
}
