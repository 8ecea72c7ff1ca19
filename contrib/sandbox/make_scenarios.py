#!/usr/bin/env python3
"""Writes contrib/sandbox/scenarios/*.json: one invented incident for each cause.

The files are kept in the repository; run this again after changing a story here. Everything is
seeded, so a run without changes writes the same bytes. The format is described in README.md.
"""
import hashlib
import json
import math
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))
MINUTE, HOUR, DAY = 60, 3600, 86400


def ago(seconds):
    """Seconds before the file is loaded, as the sandbox reads them: 3725.5 is "@-1h2m5.5s"."""
    days, rest = divmod(round(seconds, 3), DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    parts = [(days, "d"), (hours, "h"), (minutes, "m")]
    text = "".join(f"{int(n)}{unit}" for n, unit in parts if n)
    return f"@-{text}{rest:g}s"


def stamp(seconds, form):
    return "{{" + ago(seconds) + "|" + form + "}}"


def sha(*parts):
    return hashlib.sha1("/".join(map(str, parts)).encode()).hexdigest()


SYSLOG = ".ds-logs-system.syslog-default-{{@-1d0s|date}}-000004"


class World:
    """One incident. Times are seconds before now; larger is earlier."""

    def __init__(self, name, cause, seed, short_id):
        self.name, self.cause, self.short_id = name, cause, short_id
        self.rng = random.Random(seed)
        self.org = {"id": "4507", "slug": "lighthouse", "name": "Lighthouse"}
        self.people = [
            {"id": "900", "name": "Ines Duarte", "email": "ines@lighthouse.example", "login": "ines-d"},
            {"id": "901", "name": "Tomas Vrba", "email": "tomas@lighthouse.example", "login": "tvrba"},
            {"id": "902", "name": "Wanda Osei", "email": "wanda@lighthouse.example", "login": "wanda-osei"},
        ]
        self.projects, self.repos, self.releases, self.traces, self.issues = [], [], [], [], []
        self.github, self.docs = {}, []
        self.expect = {}

    # ---- who and where ----

    def project(self, slug, platform):
        self.projects.append({"id": str(4509062593708000 + len(self.projects)), "slug": slug,
                              "name": slug.replace("-", " ").title(), "platform": platform, "team": "commerce"})
        self.repo(f"lighthouse/{slug}", [slug])

    def repo(self, name, projects):
        self.repos.append({"id": str(6000 + len(self.repos)), "name": name, "projects": projects})
        self.github[name] = {"branch": "main", "commits": {}, "pulls": {}, "deployments": []}

    def hosts(self, pattern, n, regions=("eu-central-1",), **tags):
        out = []
        for region in regions:
            for i in range(n):
                name = pattern.format(i + 1, region=region.replace("-", ""))
                zone = region + "ab"[i % 2]
                out.append({"name": name, "tags": {"environment": "production", "region": region,
                                                   "availability_zone": zone, **tags}})
        return out

    # ---- releases and code ----

    def release(self, project, version, at, changes, hide=False):
        """`changes`: [(message, [file, ...], pull request or None)], oldest first."""
        full = f"{project}@{version}"
        commits, repo = [], f"lighthouse/{project}"
        for i, (message, files, pull) in enumerate(changes):
            where = next((f["repo"] for f in files if "repo" in f), repo)
            commits.append(self.commit(where, full, i, message, files, pull, at + 3 * HOUR - i * 20 * MINUTE))
        release = {"version": full, "projects": [project], "created": ago(at + 6 * MINUTE), "released": ago(at + 2 * MINUTE),
                   "ref": commits[-1]["sha"] if commits else None, "url": None, "commits": commits, "hideCommits": hide,
                   "deploys": [{"env": "production", "started": ago(at + 4 * MINUTE), "at": ago(at), "name": f"deploy {version}"}]}
        if hide:
            release["lastCommit"] = None
        self.releases.append(release)
        self.github[repo]["deployments"].append({"id": 7000 + len(self.releases), "sha": release["ref"], "env": "production", "at": ago(at)})
        return full

    def commit(self, repo, release, index, message, files, pull, at):
        author = self.rng.randrange(len(self.people))
        digest = sha(self.name, release, index)
        files = [{k: v for k, v in f.items() if k != "repo"} for f in files]
        commits = self.github[repo]["commits"]
        parents = [max(commits, key=lambda s: commits[s]["_order"])] if commits else [sha(self.name, repo, "first")]
        commits[digest] = {"sha": digest, "message": f"{message} (#{pull})" if pull else message, "author": author,
                           "at": ago(at), "parents": parents, "files": files, "web": bool(pull), "_order": len(commits)}
        if pull:
            self.github[repo]["pulls"][str(pull)] = {
                "title": message, "body": None, "author": author, "created": ago(at + 30 * HOUR), "merged": ago(at),
                "merge_sha": digest, "head_sha": sha(self.name, pull, "head"), "base_sha": parents[0], "commits": [],
                "files": files, "head": f"topic-{pull}"}
        return {"sha": digest, "repo": repo, "message": commits[digest]["message"], "author": author, "at": ago(at), "pr": pull,
                "sentryPr": bool(pull), "prTitle": message, "files": [[f["filename"], {"added": "A", "removed": "D"}.get(f["status"], "M")] for f in files]}

    # ---- errors ----

    def trace(self, platform, sdk, *exceptions, breadcrumbs=(), contexts=None):
        self.traces.append({"platform": platform, "sdk": list(sdk), "exceptions": list(exceptions),
                            "breadcrumbs": list(breadcrumbs), "contexts": contexts or {}, "modules": {}})
        return len(self.traces) - 1

    def issue(self, short_id, project, variants, hosts, releases, events, tx, **more):
        number = 5100000000 + int(sha(self.name, short_id)[:7], 16) % 900000000
        issue = {"id": str(number), "shortId": short_id, "project": project, "level": "error", "priority": "high",
                 "status": "unresolved", "substatus": "ongoing", "variants": variants, "hosts": hosts, "tx": tx,
                 "rels": releases, "events": sorted(events)}
        issue.update(more)
        self.issues.append(issue)
        return issue

    def events(self, times, hosts, release, variants=(0,), users=400, tx=3):
        """Rows at these times; `release` is an index or a function of (time, host)."""
        rows = []
        for t in times:
            host = self.rng.choice(hosts)
            which = release(t, host) if callable(release) else release
            rows.append([-round(t, 1), self.rng.choice(variants), host, which, self.rng.randrange(users), self.rng.randrange(tx)])
        return rows

    def times(self, begin, end, per_minute):
        """Random moments between two times, at a rate that breathes."""
        out, t = [], begin
        while t > end:
            wave = 1 + 0.35 * math.sin(t / 400)
            t -= self.rng.expovariate(per_minute * wave / MINUTE)
            if t > end:
                out.append(t)
        return out

    # ---- logs ----

    def log(self, index, at, message, service=None, host=None, level="INFO", dataset=None, ip=None, cloud=None):
        doc = {"@timestamp": ago(at), "message": message, "log": {"level": level}}
        if service:
            doc["service"] = {"name": service, "environment": "production"}
        if host:
            doc["host"] = {"name": host, **({"ip": [ip]} if ip else {})}
        if dataset:
            doc["event"] = {"dataset": dataset}
        if cloud:
            doc["cloud"] = cloud
        self.docs.append([index, doc])

    def app_log(self, service, at, message, host, level="ERROR"):
        self.log(f".ds-logs-{service}.app-default-{{{{{ago(DAY)}|date}}}}-000003", at, message, service, host, level, f"{service}.app")

    def pg_log(self, host, address, at, text, level="LOG"):
        line = f"{stamp(at, 'pg')} [{self.rng.randrange(400, 9000)}] {level}:  {text}"
        self.log(f".ds-logs-postgresql.log-default-{{{{{ago(DAY)}|date}}}}-000007", at, line, "postgresql", host, level, "postgresql.log",
                 ip=address)

    def quiet_traffic(self, service, hosts, since=DAY, n=60):
        paths = ["/", "/cart", "/products/118", "/checkout", "/account"]
        for _ in range(n):
            at, host = self.rng.uniform(20, since), self.rng.choice(hosts)["name"]
            self.app_log(service, at, f'GET {self.rng.choice(paths)} 200 {self.rng.randrange(8, 240)}ms', host, "INFO")

    def healthy_postgres(self, host, address, since=DAY, every=20 * MINUTE):
        t = since
        while t > 30:
            self.pg_log(host, address, t, f"checkpoint complete: wrote {self.rng.randrange(40, 900)} buffers ({self.rng.uniform(0.1, 4):.1f}%); 0 WAL file(s) added, 0 removed, 1 recycled")
            t -= every * self.rng.uniform(0.8, 1.2)

    # ---- the file ----

    def write(self):
        for repo in self.github.values():
            for commit in repo["commits"].values():
                commit.pop("_order", None)
        main = next(i for i in self.issues if i["shortId"] == self.short_id)
        tree = {"format": 1, "name": self.name, "short_id": self.short_id, "issue_id": main["id"], "expect": {"cause": self.cause, **self.expect},
                "env": {},
                "sentry": {"org": self.org, "projects": self.projects, "people": self.people, "repos": self.repos, "codeMappings": [],
                           "releases": self.releases, "traces": self.traces, "issues": self.issues},
                "github": {"repos": self.github},
                "elasticsearch": {"default_mapping": "ecs", "docs": sorted(self.docs, key=lambda d: -seconds(d[1]["@timestamp"]))}}
        path = os.path.join(HERE, "scenarios", f"{self.name}.json")
        with open(path, "w", encoding="utf-8") as out:
            out.write(dump(tree) + "\n")


def seconds(text):
    units, total, number = {"d": DAY, "h": HOUR, "m": MINUTE, "s": 1}, 0.0, ""
    for c in text[2:]:
        if c in units:
            total, number = total + float(number) * units[c], ""
        else:
            number += c
    return total


def dump(value, depth=0):
    """JSON with one line per thing that is small, so that a change shows as a small difference."""
    flat = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    small = 420 if '"@timestamp"' in flat else 160
    if not isinstance(value, (dict, list)) or not value or (depth > 1 and len(flat) < small):
        return flat
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        inner = ",\n".join(f"{pad}{json.dumps(k)}: {dump(v, depth + 1)}" for k, v in value.items())
        return "{\n" + inner + "\n" + " " * depth + "}"
    lines = [""]
    for item in (dump(v, depth + 1) for v in value):
        row = lines[-1] + (", " if lines[-1] else "") + item
        if lines[-1] and (len(item) > 60 or len(row) > 150 or "\n" in item):
            lines.append(item)
        else:
            lines[-1] = row
    return "[\n" + ",\n".join(pad + line for line in lines) + "\n" + " " * depth + "]"


def changed(filename, patch, status="modified", repo=None):
    lines = patch.split("\n")
    out = {"filename": filename, "status": status, "additions": sum(l.startswith("+") for l in lines),
           "deletions": sum(l.startswith("-") for l in lines), "patch": patch}
    if repo:
        out["repo"] = repo
    return out


def exception(kind, value, frames, module=None, mechanism="generic", handled="no"):
    return {"type": kind, "value": value, "module": module, "frames": frames, "mechanism": mechanism, "handled": handled}


# Ordinary changes that have nothing to do with databases.
HARMLESS = {
    "python": [("Show the delivery date in the cart", [changed("shop/cart/views.py", "@@ -88,3 +88,4 @@ def cart(request):\n     lines = cart.lines()\n     total = cart.total()\n+    delivery = estimate_delivery(lines)\n     return render(request, \"cart.html\", locals())")], 471),
               ("Update translations", [changed("locale/de/LC_MESSAGES/django.po", "@@ -210,2 +210,2 @@\n msgid \"cart\"\n-msgstr \"Korb\"\n+msgstr \"Warenkorb\"")], None)],
    "node": [("Round prices to cents", [changed("src/price.ts", "@@ -12,3 +12,3 @@ export function total(lines) {\n   const sum = add(lines);\n-  return sum;\n+  return Math.round(sum * 100) / 100;\n }")], 308)],
    "java": [("Log the order number", [changed("src/main/java/example/lighthouse/orders/OrderService.java", "@@ -41,2 +41,3 @@ public class OrderService {\n     public void place(Order order) {\n+        log.info(\"placing order {}\", order.number());\n         repository.save(order);")], 233)],
}


def steady_issue(world, short_id, project, trace, hosts, releases, current, tx, per_minute=0.02, days=6):
    """An old bug that everybody meets now and then: it shows where traffic comes from."""
    rows = world.events(world.times(days * DAY, 40, per_minute), range(len(hosts)), current)
    world.issue(short_id, project, [{"trace": trace}], hosts, releases, rows, tx, priority="medium")


# ---- the stories ----

PY_FRAMES = [
    ["django/core/handlers/base.py", "get_response", 181, False, "django.core.handlers.base", "response = wrapped_callback(request, *callback_args)"],
    ["shop/orders/views.py", "history", 57, True, "shop.orders.views", "orders = list(Order.objects.filter(user=request.user))"],
    ["django/db/backends/postgresql/base.py", "get_new_connection", 275, False, "django.db.backends.postgresql.base", "connection = self.Database.connect(**conn_params)"],
    ["psycopg2/__init__.py", "connect", 122, False, "psycopg2", "conn = _connect(dsn, connection_factory=connection_factory, **kwasync)"],
]
PY_SDK = ("sentry.python.django", "2.14.0")


def python_shop(world, refused, variables=None):
    """A Django shop on PostgreSQL: project, hosts, two older releases, an old bug."""
    world.project("shop", "python")
    hosts = world.hosts("shop-web-{0}", 4)
    world.release("shop", "2.40.0", 9 * DAY, HARMLESS["python"][:1])
    world.release("shop", "2.41.0", 4 * DAY + 3 * HOUR, HARMLESS["python"][1:])
    frames = [list(f) for f in PY_FRAMES]
    if variables:
        frames[3] = frames[3][:6] + [{"vars": variables}]
    text = refused
    trace = world.trace("python", PY_SDK, exception("OperationalError", text, frames, "psycopg2", "chained"),
                        exception("OperationalError", text, frames, "django.db.utils", "django"),
                        contexts={"runtime": {"name": "CPython", "version": "3.11.9", "type": "runtime"}})
    bug = world.trace("python", PY_SDK, exception("KeyError", "'voucher'", [PY_FRAMES[0], ["shop/cart/views.py", "cart", 91, True, "shop.cart.views", "voucher = request.session['voucher']"]]))
    return hosts, trace, bug


TX = ["/orders/", "/cart/", "/checkout/"]


def libpq(host, address, port):
    return (f'connection to server at "{host}" ({address}), port {port} failed: Connection refused\n'
            "\tIs the server running on that host and accepting TCP/IP connections?\n")


def deployment_config_change():
    w = World("deployment-config-change", "deployment_config_change", 11, "SHOP-1A2")
    hosts, trace, bug = python_shop(w, libpq("db-shop.lighthouse.example", "10.20.0.15", 5433),
                                    {"dsn": "'host=db-shop.lighthouse.example port=5433 dbname=shop user=shop password=[Filtered]'"})
    at = 47 * MINUTE
    guilty = changed("deploy/production.env", "@@ -3,6 +3,6 @@\n DJANGO_SETTINGS_MODULE=shop.settings.production\n DB_HOST=db-shop.lighthouse.example\n-DB_PORT=5432\n+DB_PORT=5433\n DB_NAME=shop\n DB_USER=shop\n DB_CONN_MAX_AGE=60")
    w.release("shop", "2.42.0", at, [("Explain how to start the shop locally", [changed("README.md", "@@ -9,2 +9,3 @@\n ## Development\n \n+Start PostgreSQL on localhost:5432 first.")], None),
                                     ("Use the database port of the new cluster", [guilty], 481)])
    releases = ["shop@2.40.0", "shop@2.41.0", "shop@2.42.0"]
    rolled_out = {0: at + 170, 1: at + 110, 2: at + 60, 3: at + 5}
    rows = []
    for host, since in rolled_out.items():
        rows += w.events(w.times(since - 5, 12, 3.2), [host], 2)
    w.issue("SHOP-1A2", "shop", [{"trace": trace}], hosts, releases, rows, TX, baseTags={"runtime": "CPython 3.11.9"})
    steady_issue(w, "SHOP-9K", "shop", bug, hosts, releases, lambda t, h: 2 if t < rolled_out[h] else 1 if t < 4 * DAY else 0, TX)
    for t in w.times(at - 25, 15, 1.1):
        w.app_log("shop", t, 'psycopg2.OperationalError: connection to server at "db-shop.lighthouse.example" (10.20.0.15), port 5433 failed: Connection refused', w.rng.choice(hosts)["name"])
    w.healthy_postgres("db-shop-1", "10.20.0.15")
    w.pg_log("db-shop-1", "10.20.0.15", 3 * DAY, 'listening on IPv4 address "0.0.0.0", port 5432')
    w.quiet_traffic("shop", hosts)
    w.expect = {"release": "shop@2.42.0", "pull_request": 481, "file": "deploy/production.env", "host": "db-shop.lighthouse.example", "port": 5433, "engine": "postgresql"}
    w.write()


def deployment_regression():
    w = World("deployment-regression", "deployment_regression", 12, "PAYMENTS-3C")
    w.project("payments", "node")
    hosts = w.hosts("payments-{0}", 3)
    w.release("payments", "5.11.2", 11 * DAY, HARMLESS["node"])
    at = 3 * HOUR + 10 * MINUTE
    rewrite = changed("src/ledger/client.ts", "@@ -1,9 +1,9 @@\n-import { pool } from '../common/pool';\n+import mysql from 'mysql2/promise';\n \n export class LedgerClient {\n-  async entries(account: string) {\n-    return pool.query(SELECT_ENTRIES, [account]);\n+  async entries(account: string) {\n+    const link = await mysql.createConnection({});\n+    return link.query(SELECT_ENTRIES, [account]);\n   }\n }")
    w.release("payments", "5.12.0", at, [("Split the ledger client from the common module", [rewrite, changed("src/ledger/client.test.ts", "@@ -0,0 +1,3 @@\n+test('reads entries', async () => {\n+  expect(await client.entries('a')).toEqual([]);\n+});", "added")], 322)])
    frames = [["src/http/routes.ts", "getLedger", 64, True, None, "const entries = await ledger.entries(id)"],
              ["src/ledger/client.ts", "LedgerClient.entries", 6, True, None, "const link = await mysql.createConnection({});"],
              ["node_modules/mysql2/promise.js", "createConnection", 242, False, None, "coreConnection.connect()"]]
    sdk = ("sentry.javascript.node", "8.26.0")
    trace = w.trace("node", sdk, exception("Error", "connect ECONNREFUSED 127.0.0.1:3306", frames, mechanism="onunhandledrejection"))
    bug = w.trace("node", sdk, exception("TypeError", "Cannot read properties of undefined (reading 'currency')", [frames[0]]))
    releases = ["payments@5.11.2", "payments@5.12.0"]
    rows = []
    rolled_out = {0: at + 190, 1: at + 95, 2: at + 5}
    for host, since in rolled_out.items():
        rows += w.events(w.times(since - 12, 20, 0.55), [host], 1)
    tx = ["GET /ledger/:id", "GET /statements", "POST /refunds"]
    w.issue("PAYMENTS-3C", "payments", [{"trace": trace}], hosts, releases, rows, tx)
    steady_issue(w, "PAYMENTS-1X", "payments", bug, hosts, releases, lambda t, h: 1 if t < rolled_out[h] else 0, tx, 0.2, 2)
    for t in w.times(at + 150, 30, 0.4):
        w.app_log("payments", t, "unhandled rejection: Error: connect ECONNREFUSED 127.0.0.1:3306 at TCPConnectWrap.afterConnect", w.rng.choice(hosts)["name"])
    for t in (20 * HOUR, 14 * HOUR, 8 * HOUR, 2 * HOUR, 20 * MINUTE):
        w.log(f".ds-logs-mysql.error-default-{{{{{ago(DAY)}|date}}}}-000002", t, f"{stamp(t, 'mysql')} 0 [Note] [MY-013953] [InnoDB] page_cleaner: 1000ms intended loop took {w.rng.randrange(1, 9)}ms", "mysql", "db-pay-1", "Note", "mysql.error", ip="10.20.4.8")
    w.quiet_traffic("payments", hosts)
    w.expect = {"release": "payments@5.12.0", "host": "127.0.0.1", "port": 3306, "engine": "mysql", "acceptable": ["deployment_config_change"]}
    w.write()


def java_orders(w, message, module="org.postgresql.util"):
    w.project("orders", "java")
    hosts = w.hosts("orders-{0}", 4)
    w.release("orders", "8.3.0", 12 * DAY, HARMLESS["java"])
    w.release("orders", "8.4.0", 5 * DAY, [("Speed up the order list", [changed("src/main/java/example/lighthouse/orders/OrderList.java", "@@ -20,2 +20,2 @@\n-        return all().stream().toList();\n+        return page(0, 50);\n     }")], 240)])
    frames = [["OrderController.java", "list", 38, True, "example.lighthouse.orders.OrderController", "return orders.recent();"],
              ["OrderRepository.java", "recent", 71, True, "example.lighthouse.orders.OrderRepository", "try (var link = source.getConnection()) {"],
              ["HikariPool.java", "createTimeoutException", 696, False, "com.zaxxer.hikari.pool.HikariPool", "throw connectionException;"],
              ["PGStream.java", "createSocket", 241, False, "org.postgresql.core.PGStream", "socket.connect(address, connectTimeout);"]]
    sdk = ("sentry.java.spring-boot.jakarta", "7.14.0")
    trace = w.trace("java", sdk, exception("ConnectException", "Connection refused", frames[3:], "java.net", "chained"),
                    exception("PSQLException", message, frames, module))
    bug = w.trace("java", sdk, exception("IllegalArgumentException", "unknown sort order: newest", frames[:1], "java.lang"))
    return hosts, trace, bug, ["orders@8.3.0", "orders@8.4.0"]


ORDERS_TX = ["GET /orders", "POST /orders", "GET /orders/{id}"]
PGJDBC = "Connection to {} refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections."


def database_down():
    w = World("database-down", "database_down", 13, "ORDERS-7F")
    hosts, trace, bug, releases = java_orders(w, PGJDBC.format("db-orders.lighthouse.example:5432"))
    at = 2 * HOUR + 5 * MINUTE
    rows = w.events(w.times(at, 6, 2.4), range(4), 1)
    w.issue("ORDERS-7F", "orders", [{"trace": trace}], hosts, releases, rows, ORDERS_TX, firstRelease="orders@8.4.0")
    steady_issue(w, "ORDERS-2Q", "orders", bug, hosts, releases, lambda t, h: 1 if t < 5 * DAY else 0, ORDERS_TX)
    w.healthy_postgres("db-orders-1", "10.20.0.31", DAY, 25 * MINUTE)
    w.docs = [d for d in w.docs if seconds(d[1]["@timestamp"]) > at + 90]
    w.pg_log("db-orders-1", "10.20.0.31", at + 40, 'server process (PID 2211) was terminated by signal 9: Killed')
    w.log(SYSLOG, at + 41, "Out of memory: Killed process 2211 (postgres) total-vm:18874368kB, anon-rss:15728640kB", "kernel", "db-orders-1", "ERROR", "system.syslog", ip="10.20.0.31")
    w.pg_log("db-orders-1", "10.20.0.31", at + 39, "terminating any other active server processes")
    w.pg_log("db-orders-1", "10.20.0.31", at + 36, "all server processes terminated; reinitializing")
    w.pg_log("db-orders-1", "10.20.0.31", at + 30, "could not write file \"pg_wal/xlogtemp.91\": No space left on device", "PANIC")
    w.pg_log("db-orders-1", "10.20.0.31", at + 29, "startup process (PID 2290) was terminated by signal 6: Aborted")
    w.pg_log("db-orders-1", "10.20.0.31", at + 28, "aborting startup due to startup process failure")
    w.pg_log("db-orders-1", "10.20.0.31", at + 27, "database system is shut down")
    w.log(SYSLOG, at + 26, "postgresql@15-main.service: Failed with result 'exit-code'.", "systemd", "db-orders-1", "ERROR", "system.syslog", ip="10.20.0.31")
    for t in w.times(at - 2, 8, 0.9):
        w.app_log("orders", t, "HikariPool-1 - Exception during pool initialization. org.postgresql.util.PSQLException: Connection to db-orders.lighthouse.example:5432 refused.", w.rng.choice(hosts)["name"])
    w.log(SYSLOG, 20 * HOUR, "db-orders.lighthouse.example has address 10.20.0.31", "resolver", "orders-1", "INFO", "system.syslog")
    w.quiet_traffic("orders", hosts)
    w.expect = {"host": "db-orders.lighthouse.example", "port": 5432, "engine": "postgresql"}
    w.write()


def database_restart():
    w = World("database-restart", "database_restart", 14, "ORDERS-8B")
    hosts, trace, bug, releases = java_orders(w, PGJDBC.format("db-orders.lighthouse.example:5432"))
    starting = w.trace("java", ("sentry.java.spring-boot.jakarta", "7.14.0"),
                       exception("PSQLException", "FATAL: the database system is starting up", w.traces[trace]["exceptions"][1]["frames"], "org.postgresql.util"))
    begin, ready = 3 * HOUR, 3 * HOUR - 4 * MINUTE
    rows = w.events(w.times(begin, ready + 25, 14), range(4), 1) + w.events(w.times(ready + 25, ready, 9), range(4), 1, variants=(1,))
    w.issue("ORDERS-8B", "orders", [{"trace": trace}, {"trace": starting}], hosts, releases, rows, ORDERS_TX)
    steady_issue(w, "ORDERS-2Q", "orders", bug, hosts, releases, lambda t, h: 1 if t < 5 * DAY else 0, ORDERS_TX)
    w.healthy_postgres("db-orders-1", "10.20.0.31")
    w.docs = [d for d in w.docs if not ready - 30 < seconds(d[1]["@timestamp"]) < begin + 60]
    for t, text in ((begin + 4, "received fast shutdown request"), (begin + 3.6, "aborting any active transactions"), (begin + 2, "shutting down"),
                    (begin + 1, "database system is shut down"), (ready + 27, "starting PostgreSQL 15.8 on x86_64-pc-linux-gnu, compiled by gcc 12.2.0, 64-bit"),
                    (ready + 26, 'listening on IPv4 address "0.0.0.0", port 5432'), (ready + 25, "database system was shut down at " + stamp(begin + 1, "pg")),
                    (ready, "database system is ready to accept connections")):
        w.pg_log("db-orders-1", "10.20.0.31", t, text)
    for t in w.times(begin - 1, ready, 5):
        w.app_log("orders", t, "org.postgresql.util.PSQLException: Connection to db-orders.lighthouse.example:5432 refused.", w.rng.choice(hosts)["name"])
    w.log(SYSLOG, 20 * HOUR, "db-orders.lighthouse.example has address 10.20.0.31", "resolver", "orders-1", "INFO", "system.syslog")
    w.quiet_traffic("orders", hosts)
    w.expect = {"host": "db-orders.lighthouse.example", "port": 5432, "engine": "postgresql"}
    w.write()


def go_search(w):
    w.project("search", "go")
    w.release("search", "1.18.0", 13 * DAY, [("Rank by freshness", [changed("internal/rank/rank.go", "@@ -30,2 +30,3 @@ func score(d Doc) float64 {\n \ts := d.Text\n+\ts += d.Fresh / 2\n \treturn s")], 118)])
    w.release("search", "1.19.0", 6 * DAY, [("Trim queries", [changed("internal/query/parse.go", "@@ -11,2 +11,2 @@ func Parse(q string) Query {\n-\treturn parse(q)\n+\treturn parse(strings.TrimSpace(q))\n }")], 121)])
    frames = [["internal/http/search.go", "Handler.ServeHTTP", 88, True, "lighthouse.example/search/internal/http", "rows, err := h.store.Find(ctx, q)"],
              ["internal/store/store.go", "Store.Find", 42, True, "lighthouse.example/search/internal/store", "conn, err := s.pool.Acquire(ctx)"]]
    return frames, ("sentry.go", "0.28.1"), ["search@1.18.0", "search@1.19.0"]


def pgx(host, address, port, what):
    return (f"failed to connect to `user=search database=search`: {address}:{port} ({host}): dial error: "
            f"dial tcp {address}:{port}: {what}")


SEARCH_TX = ["GET /search", "GET /suggest"]


def network_connectivity():
    w = World("network-connectivity", "network_connectivity", 15, "SEARCH-4D")
    frames, sdk, releases = go_search(w)
    hosts = w.hosts("search-{0}", 4)
    host, address = "db-search.lighthouse.example", "10.20.7.9"
    traces = [w.trace("go", sdk, exception("*pgconn.ConnectError", pgx(host, address, 5432, what), frames, "github.com/jackc/pgx/v5/pgconn"))
              for what in ("connect: connection refused", "i/o timeout", "connect: no route to host")]
    bug = w.trace("go", sdk, exception("*errors.errorString", "empty query", frames[:1]))
    bursts = [(21.3 * HOUR, 4), (17.1 * HOUR, 6), (12.6 * HOUR, 3), (7.9 * HOUR, 7), (3.2 * HOUR, 5), (35 * MINUTE, 4)]
    rows = []
    for begin, minutes in bursts:
        rows += w.events(w.times(begin, begin - minutes * MINUTE, 9), range(4), 1, variants=(0, 0, 1, 2))
    w.issue("SEARCH-4D", "search", [{"trace": t} for t in traces], hosts, releases, rows, SEARCH_TX)
    steady_issue(w, "SEARCH-1B", "search", bug, hosts, releases, lambda t, h: 1 if t < 6 * DAY else 0, SEARCH_TX)
    w.healthy_postgres("db-search-1", address, DAY, 15 * MINUTE)
    for begin, minutes in bursts:
        for t in w.times(begin + 10, begin - minutes * MINUTE, 1.4):
            w.app_log("search", t, w.rng.choice(["dial tcp 10.20.7.9:5432: i/o timeout", "dial tcp 10.20.7.9:5432: connect: no route to host", "dial tcp 10.20.7.9:5432: connect: connection refused"]), w.rng.choice(hosts)["name"])
        for t in (begin + 12, begin + 4, begin - 40, begin - minutes * MINUTE + 20):
            w.log(SYSLOG, t, "nf_conntrack: nf_conntrack: table full, dropping packet", "kernel", "gateway-2", "WARN", "system.syslog")
        w.log(SYSLOG, begin + 6, 'Server be_search/db-search-1 is DOWN, reason: Layer4 timeout, check duration: 2001ms. 0 active and 0 backup servers left.', "haproxy", "gateway-2", "ERROR", "system.syslog")
        w.log(SYSLOG, begin - minutes * MINUTE - 3, "Server be_search/db-search-1 is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online.", "haproxy", "gateway-2", "INFO", "system.syslog")
    w.quiet_traffic("search", hosts)
    w.expect = {"host": host, "port": 5432, "engine": "postgresql"}
    w.write()


def connection_pool_exhaustion():
    w = World("connection-pool-exhaustion", "connection_pool_exhaustion", 16, "SHOP-2M")
    full = ('connection to server at "db-shop.lighthouse.example" (10.20.0.15), port 5432 failed: FATAL:  '
            "sorry, too many clients already\n")
    hosts, trace, bug = python_shop(w, full)
    refused = w.trace("python", PY_SDK, exception("OperationalError", libpq("db-shop.lighthouse.example", "10.20.0.15", 6432), w.traces[trace]["exceptions"][0]["frames"], "django.db.utils", "django"))
    workers = w.hosts("shop-worker-{0}", 3, role="worker")
    web = [dict(h, tags=dict(h["tags"], role="web")) for h in hosts]
    everyone = web + workers
    releases = ["shop@2.40.0", "shop@2.41.0"]
    rows = []
    for hour in range(5, 0, -1):
        rows += w.events(w.times(hour * HOUR, (hour - 1) * HOUR + 10, 0.25 * (6 - hour) ** 1.6), [4, 5, 6], 1, variants=(0, 0, 0, 0, 1))
    w.issue("SHOP-2M", "shop", [{"trace": trace}, {"trace": refused}], everyone, releases, rows, ["shop.tasks.sync_stock", "shop.tasks.send_mail", "shop.tasks.export"])
    steady_issue(w, "SHOP-9K", "shop", bug, everyone, releases, lambda t, h: 1 if t < 4 * DAY else 0, TX, 0.05)
    w.healthy_postgres("db-shop-1", "10.20.0.15", DAY, 15 * MINUTE)
    for t in w.times(5 * HOUR, 20, 0.5):
        w.pg_log("db-shop-1", "10.20.0.15", t, "sorry, too many clients already", "FATAL")
    for t in w.times(4 * HOUR, 30, 0.3):
        w.app_log("shop", t, w.rng.choice(["FATAL:  sorry, too many clients already", "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute"]), w.rng.choice(workers)["name"])
    w.quiet_traffic("shop", everyone)
    w.expect = {"host": "db-shop.lighthouse.example", "engine": "postgresql", "segment": ["role", "worker"]}
    w.write()


def regional_network():
    w = World("regional-network", "regional_network", 17, "BOOKING-5T")
    w.project("booking", "python")
    hosts = w.hosts("booking-{region}-{0}", 3, ("eu-central-1", "us-east-1"))
    w.release("booking", "3.7.0", 14 * DAY, HARMLESS["python"][:1])
    w.release("booking", "3.8.0", 3 * DAY, HARMLESS["python"][1:])
    releases = ["booking@3.7.0", "booking@3.8.0"]
    frames = [["flask/app.py", "dispatch_request", 1799, False, "flask.app", "return self.ensure_sync(view)(**args)"],
              ["booking/rooms.py", "availability", 33, True, "booking.rooms", "with db.cursor() as cursor:"],
              ["pymysql/connections.py", "connect", 679, False, "pymysql.connections", "raise exc"]]
    refused = "(2003, \"Can't connect to MySQL server on 'db-booking.lighthouse.example' ([Errno 111] Connection refused)\")"
    timed_out = "(2003, \"Can't connect to MySQL server on 'db-booking.lighthouse.example' (timed out)\")"
    sdk = ("sentry.python.flask", "2.14.0")
    traces = [w.trace("python", sdk, exception("OperationalError", m, frames, "pymysql.err")) for m in (refused, timed_out)]
    bug = w.trace("python", sdk, exception("ValueError", "invalid date: 31 June", frames[:2]))
    at = 95 * MINUTE
    us = [3, 4, 5]
    rows = w.events(w.times(at, 9, 3), us, 1, variants=(0, 0, 1))
    tx = ["availability", "book", "cancel"]
    w.issue("BOOKING-5T", "booking", [{"trace": t} for t in traces], hosts, releases, rows, tx)
    steady_issue(w, "BOOKING-1A", "booking", bug, hosts, releases, lambda t, h: 1 if t < 3 * DAY else 0, tx, 0.06)
    for t in w.times(at + 5, 11, 0.6):
        w.app_log("booking", t, w.rng.choice([refused, timed_out, "OSError: [Errno 113] No route to host"]), hosts[w.rng.choice(us)]["name"])
    for t, text in ((at + 20, "tunnel us-east-1/eu-central-1: dead peer detection failed, taking the tunnel down"), (at + 18, "BGP neighbor 169.254.11.2 Down - Hold Timer Expired"), (40 * MINUTE, "tunnel us-east-1/eu-central-1: IKE negotiation failed, no response")):
        w.log(f".ds-logs-network.vpn-default-{{{{{ago(DAY)}|date}}}}-000001", t, text, "vpn", "edge-useast1-1", "ERROR", "network.vpn", cloud={"region": "us-east-1"})
    for t in (22 * HOUR, 15 * HOUR, 9 * HOUR, 4 * HOUR, 70 * MINUTE, 15 * MINUTE):
        w.log(f".ds-logs-mysql.error-default-{{{{{ago(DAY)}|date}}}}-000002", t, f"{stamp(t, 'mysql')} 0 [Note] [MY-013953] [InnoDB] page_cleaner: 1000ms intended loop took {w.rng.randrange(1, 9)}ms", "mysql", "db-booking-1", "Note", "mysql.error", ip="10.30.2.4")
    w.quiet_traffic("booking", hosts)
    w.expect = {"host": "db-booking.lighthouse.example", "engine": "mysql", "segment": ["region", "us-east-1"]}
    w.write()


def broader_deployment_incident():
    w = World("broader-deployment-incident", "broader_deployment_incident", 18, "CATALOG-6H")
    sdk = ("sentry.javascript.node", "8.26.0")
    at = 75 * MINUTE
    policy = changed("base/networkpolicy.yaml", "@@ -8,7 +8,6 @@ spec:\n   egress:\n     - to:\n         - namespaceSelector: {}\n-    - ports:\n-        - port: 5432\n+    - ports:\n         - port: 443")
    w.repo("lighthouse/platform", [])
    for number, (slug, prefix) in enumerate((("catalog", "CATALOG"), ("basket", "BASKET"), ("accounts", "ACCOUNTS"))):
        w.project(slug, "node")
        hosts = w.hosts(slug + "-{0}", 3)
        old = w.release(slug, "2026.31", 8 * DAY - number * MINUTE, HARMLESS["node"])
        new = w.release(slug, "2026.32", at - number * 50, [("Take up base chart 41", [changed("chart/Chart.lock", "@@ -2,2 +2,2 @@\n - name: base\n-  version: 40.0.0\n+  version: 41.0.0")], 500 + number)])
        frames = [["src/server.js", "handle", 51, True, None, "const client = await pool.connect()"],
                  ["node_modules/pg-pool/index.js", "connect", 45, False, None, "client.connect(cb)"]]
        address = f"10.40.{number}.5:5432"
        trace = w.trace("node", sdk, exception("Error", f"connect ECONNREFUSED {address}", frames))
        bug = w.trace("node", sdk, exception("RangeError", "Invalid time value", frames[:1]))
        rows = w.events(w.times(at - number * 50 - 35, 14, 2.2), range(3), 1)
        tx = [f"GET /{slug}", f"POST /{slug}"]
        w.issue(f"{prefix}-6H", slug, [{"trace": trace}], hosts, [old, new], rows, tx, substatus="new")
        steady_issue(w, f"{prefix}-1C", slug, bug, hosts, [old, new], lambda t, h, n=number: 1 if t < at - n * 50 else 0, tx)
        for t in w.times(at - number * 50 - 40, 20, 0.5):
            w.app_log(slug, t, f"Error: connect ECONNREFUSED {address}", w.rng.choice(hosts)["name"])
        w.healthy_postgres(f"db-{slug}-1", f"10.40.{number}.5", DAY, HOUR)
        w.quiet_traffic(slug, hosts, n=25)
    w.commit("lighthouse/platform", "platform@41", 0, "Tighten egress of all services", [policy], 77, at + 5 * HOUR)
    w.expect = {"engine": "postgresql", "port": 5432, "host": "10.40.0.5"}
    w.write()


def inconclusive():
    w = World("inconclusive", "inconclusive", 19, "REPORTS-3P")
    w.project("reports", "node")
    hosts = w.hosts("reports-{0}", 2)
    w.release("reports", "0.9.4", 30 * DAY, HARMLESS["node"], hide=True)
    frames = [["src/jobs/nightly.js", "run", 27, True, None, "await client.connect()"],
              ["node_modules/mongodb/lib/sdam/topology.js", "selectServer", 212, False, None, "callback(timeoutError)"]]
    sdk = ("sentry.javascript.node", "8.26.0")
    trace = w.trace("node", sdk, exception("MongoServerSelectionError", "connect ECONNREFUSED 10.20.3.4:27017", frames, mechanism="onunhandledrejection"))
    rows = w.events([16.4 * HOUR, 9.8 * HOUR, 9.79 * HOUR, 1.7 * HOUR], range(2), 0, users=1, tx=1)
    for row in rows:
        row[4] = -1
    w.issue("REPORTS-3P", "reports", [{"trace": trace}], hosts, ["reports@0.9.4"], rows, ["nightly"], priority="medium")
    w.quiet_traffic("reports", hosts, n=20)
    w.expect = {"host": "10.20.3.4", "port": 27017, "engine": "mongodb"}
    w.write()


def not_applicable():
    w = World("not-applicable", "not_applicable", 20, "SHOP-4W")
    w.project("shop", "python")
    hosts = w.hosts("shop-web-{0}", 4)
    w.release("shop", "2.41.0", 4 * DAY, HARMLESS["python"])
    frames = [PY_FRAMES[0], ["shop/stock/client.py", "available", 19, True, "shop.stock.client", "reply = requests.get(f'{BASE}/stock/{sku}', timeout=2)"],
              ["requests/adapters.py", "send", 519, False, "requests.adapters", "raise ConnectionError(e, request=request)"]]
    text = ("HTTPConnectionPool(host='inventory-api.lighthouse.example', port=8080): Max retries exceeded with url: /stock/118 (Caused by "
            "NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f0c1e9d2f90>: Failed to establish a new connection: [Errno 111] Connection refused'))")
    trace = w.trace("python", PY_SDK, exception("ConnectionError", text, frames, "requests.exceptions"))
    rows = w.events(w.times(70 * MINUTE, 10, 3), range(4), 0)
    w.issue("SHOP-4W", "shop", [{"trace": trace}], hosts, ["shop@2.41.0"], rows, TX)
    for t in w.times(70 * MINUTE, 20, 0.4):
        w.app_log("shop", t, "inventory-api.lighthouse.example:8080: connection refused", w.rng.choice(hosts)["name"])
    w.quiet_traffic("shop", hosts)
    w.expect = {"applicable": False}
    w.write()


if __name__ == "__main__":
    os.makedirs(os.path.join(HERE, "scenarios"), exist_ok=True)
    for story in (deployment_config_change, deployment_regression, database_down, database_restart, network_connectivity,
                  connection_pool_exhaustion, regional_network, broader_deployment_incident, inconclusive, not_applicable):
        story()
