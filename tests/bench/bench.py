#!/usr/bin/env python3
"""Measures dbconn, and @slack/bolt beside it, and writes BENCHMARKS.md. Run by `make bench`.

    bench.py [--quick] [--only PART,...] [--out FILE]

--quick takes fewer and shorter runs (about 2 min). Parts: start, ack, durable, memory, job, many,
store. What is not measured with --only is left out of the file.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
LOAD = BUILD / "tests/bench/slack_load"
DBCONN = BUILD / "dbconn"
SANDBOX = BUILD / "dbconn-sandbox"
PEER = ROOT / "tests/bench/peer"
SCENARIOS = ROOT / "contrib/sandbox/scenarios"
NEVER_MS = 1e8
LIMIT_MS = 50  # p99 at which a rate still counts


def say(text):
    print(text, flush=True)


def load_average():
    return os.getloadavg()[0]


def median(values):
    return statistics.median(values)


def spread(values, digits=2):
    """The median, and from where to where it went."""
    if not values:
        return "-"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def ms(value):
    return "never" if value >= NEVER_MS else f"{value:.2f}" if value < 100 else f"{value:.0f}"


# ---- one client under the load generator ----


class Client:
    """slack_load and the client it started."""

    def __init__(self, command, env, tls=None):
        arguments = [str(LOAD)] + (["--tls", *tls] if tls else []) + ["--"] + [str(c) for c in command]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(arguments, env={**os.environ, **env}, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        answer = self.tell("start")
        self.pid, self.start_ms = answer["pid"], answer["exec_to_hello_ms"]

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.log.seek(0)
            sys.exit(f"bench: {line}: {self.log.read().decode()[-2000:]}")
        return json.loads(answer)

    def load(self, rate, seconds, text="help"):
        return self.tell(f"load {rate} {seconds} {text}")

    def memory(self):
        """KiB."""
        found = {}
        for name in ("status", "smaps_rollup"):
            for line in pathlib.Path(f"/proc/{self.pid}/{name}").read_text().splitlines():
                match = re.match(r"(VmRSS|RssAnon|Pss):\s+(\d+) kB", line)
                if match:
                    found[match[1]] = int(match[2])
        return found

    def stop(self):
        self.tell("stop")
        self.process.stdin.close()
        self.process.wait()


class Place:
    """A folder with configuration and database of its own."""

    def __init__(self, config=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dbconn-bench-"))
        self.config = self.folder / "dbconn.json"
        self.config.write_text(json.dumps(config or {}))
        self.env = {
            "SLACK_APP_TOKEN": "xapp-1-bench", "SLACK_BOT_TOKEN": "xoxb-1-bench",
            "SENTRY_ORG": "bench", "SENTRY_AUTH_TOKEN": "bench", "DBCONN_ACCESS_ALLOW": "*",
            "DBCONN_LOG_LEVEL": "error", "XDG_STATE_HOME": str(self.folder),
            "DBCONN_DATABASE_URL": f"sqlite:{self.folder}/jobs.db",
        }

    def client(self, tls=None):
        return Client([DBCONN, "serve", "--config", self.config], self.env, tls)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def bolt_client():
    return Client(["node", PEER / "bolt.mjs"], Place().env)


def best_rate(client, text, at, most, seconds):
    """The highest rate with p99 below LIMIT_MS: up in steps of 1.4, then halving the gap."""
    low, high = 0, None
    while (high is None and at <= most) or (high and high / max(low, 1) > 1.06):
        got = client.load(int(at), seconds, text)
        good = got["p99_ms"] < LIMIT_MS and got["acked"] == got["wanted"]
        say(f"    {int(at)}/s: p99 {ms(got['p99_ms'])} ms")
        if good:
            low = at
        else:
            high = at
            client.tell("idle 1")
        at = (low + high) / 2 if high and low else low * 1.4 if low else at / 2
        if at < 100:
            break
    return int(low)


# ---- parts ----


def certificate(folder):
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def starts(place, runs, tls=None):
    """ms from exec to hello, the database there already; the idle memory of the last run."""
    times = []
    for i in range(runs + 1):
        client = place.client(tls)
        if i:  # the first one makes the database
            times.append(client.start_ms)
        if i == runs:
            client.tell("idle 2")
            memory = client.memory()
        client.stop()
    return times, memory


def part_start(quick):
    runs = 5 if quick else 21
    rows = []
    with Place() as place:
        times, memory = starts(place, runs)
        rows.append(("dbconn, ws", times, memory))
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    with Place() as place:
        cert, key = certificate(place.folder)
        place.config.write_text(json.dumps({"net": {"ca_file": str(cert)}}))
        times, memory = starts(place, runs, (str(cert), str(key)))
        rows.append(("dbconn, TLS, one CA", times, memory))
        if bundle.exists():
            both = place.folder / "bundle.pem"
            both.write_bytes(bundle.read_bytes() + cert.read_bytes())
            place.config.write_text(json.dumps({"net": {"ca_file": str(both)}}))
            whole, memory = starts(place, runs, (str(cert), str(key)))
            rows.append(("dbconn, TLS, Debian's CA bundle", whole, memory))
    bolt_times = []
    for i in range(3 if quick else 9):
        client = bolt_client()
        bolt_times.append(client.start_ms)
        client.tell("idle 2")
        bolt_memory = client.memory()
        client.stop()
    rows.append(("@slack/bolt, ws", bolt_times, bolt_memory))
    text = ["## Start, and memory when idle", "",
            "From exec to the first socket's hello; the database is there, the store open and the "
            "playbook loaded. Median (least to most).", "",
            "| | ms from exec to hello | RssAnon KiB | PSS KiB | RSS KiB |", "|---|---|---|---|---|"]
    for name, times, memory in rows:
        text.append(f"| {name} | {spread(times, 1)} | {memory['RssAnon']} | {memory['Pss']} | "
                    f"{memory['VmRSS']} |")
    if len(rows) == 4:
        text += ["", f"Loading the CA bundle is {median(rows[2][1]) - median(rows[1][1]):.1f} ms of that."]
    return text


def ack_rows(client, rates, text, runs, seconds):
    rows = []
    for rate in rates:
        client.load(rate, 1, text)
        got = [client.load(rate, max(seconds, 50 / rate), text) for _ in range(runs)]
        rows.append((rate, got))
        say(f"    {rate}/s {text}: p99 {spread([g['p99_ms'] for g in got])} ms")
    return rows


def ack_table(name, rows):
    out = []
    for rate, got in rows:
        cells = [spread([g[key] for g in got]) for key in ("p50_ms", "p99_ms", "p999_ms")]
        cpu = spread([g["cpu_s_per_1000"] for g in got], 3)
        late = max(g["generator_late_ms"] for g in got)
        out.append(f"| {name} | {rate} | {' | '.join(cells)} | {cpu} | {late:.1f} |")
    return out


ACK_HEAD = ["| | a second | p50 ms | p99 ms | p99.9 ms | CPU s per 1,000 | generator late ms |",
            "|---|---|---|---|---|---|---|"]
RATES = (10, 200, 1000)


def part_ack(quick):
    runs, seconds = (2, 2) if quick else (3, 5)
    out = ["## `help`: from due to acknowledged", "",
           "Open loop: a latency counts from when the command was due, so nothing is spared by a stall "
           "(no coordinated omission). `help` commits nothing.", ""] + ACK_HEAD
    best, gaps = [], []
    for name, make in (("dbconn", lambda p: p.client()), ("@slack/bolt", lambda p: bolt_client())):
        say(f"  {name}")
        with Place() as place:
            client = make(place)
            out += ack_table(name, ack_rows(client, RATES, "help", runs, seconds))
            rate = [best_rate(client, "help", 8000, 300000, 2) for _ in range(1 if quick else 2)]
            best.append(f"| {name} | {spread(rate, 0)} |")
            got = [client.tell("refresh") for _ in range(2 if quick else 5)]
            gaps.append(f"| {name} | {spread([g['gap_ms'] for g in got])} | "
                        f"{spread([g['new_after_ms'] for g in got])} |")
            client.stop()
    out += ["", f"The most with p99 below {LIMIT_MS} ms, and a refresh of the connection:", "",
            "| | `help` a second |", "|---|---|"] + best
    out += ["", "| | ms without a connection at a refresh | ms until the new one's hello |",
            "|---|---|---|"] + gaps
    return out


def part_durable(quick):
    runs, seconds = (2, 2) if quick else (3, 5)
    out = ["## Durable commands: the job is committed before the acknowledgement", "",
           "SQLite, WAL, synchronous=FULL, on the disk below. Four investigations run meanwhile, and "
           "wait for a Sentry that does not answer.", ""] + ACK_HEAD
    with Place({"queue": {"max_waiting": 1000000, "max_running": 4}}) as place:
        client = place.client()
        out += ack_table("dbconn", ack_rows(client, RATES, "SHOP-1A2", runs, seconds))
        rate = [best_rate(client, "SHOP-1A2", 4000, 100000, 2) for _ in range(1 if quick else 2)]
        client.stop()
    return out + ["", f"The most with p99 below {LIMIT_MS} ms: {spread(rate, 0)} a second."]


def part_memory(quick):
    out = ["## Memory of investigations that wait", "",
           "Started, each waiting for an answer of Sentry that does not come. RssAnon, KiB.", "",
           "| at a time | in all | above idle, each | CPU ms each, to get there |", "|---|---|---|---|"]
    for n in (1, 100, 1000):
        with Place({"queue": {"max_waiting": 10000, "max_running": 1000},
                    "limits": {"job_seconds": 600}}) as place:
            client = place.client()
            client.tell("idle 1")
            before = client.memory()["RssAnon"]
            got = client.load(500, n / 500, "SHOP-1A2")
            cpu = got["cpu_s"] + client.tell("idle 6")["cpu_s"]
            after = client.memory()["RssAnon"]
            out.append(f"| {n} | {after} | {(after - before) / n:.1f} | {cpu * 1000 / n:.2f} |")
            client.stop()
    return out


# ---- whole jobs, against the sandbox ----


class Sandbox:
    def __init__(self, scenario, latency_ms, lift=True):
        path = scenario if isinstance(scenario, pathlib.Path) else SCENARIOS / f"{scenario}.json"
        slow = [{"latency_ms": latency_ms}] if latency_ms else []
        faults = {k: slow for k in ("sentry", "github", "elasticsearch")}
        self.process = subprocess.Popen(
            [str(SANDBOX), str(path), "--stdin", "--faults", json.dumps(faults)]
            + (["--lift-limits"] if lift else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = json.loads(self.process.stdout.readline())
        self.control = self.told["control"]
        self.short_id = self.told["short_id"]

    def ask(self, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(self.control + path, data) as answer:
            return json.loads(answer.read())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def cpu_of_children():
    t = os.times()
    return t.children_user + t.children_system


def part_job(quick):
    runs = 3 if quick else 9
    scenarios = ["database-down", "deployment-config-change"]
    out = ["## Time to diagnosis: `dbconn run`, from exec to its end", "",
           "Every answer of Sentry, GitHub and Elasticsearch takes the latency in the first column. The "
           "longest chain of calls that need each other's answers is six round trips.", "",
           "| latency ms | incident | ms | times 6 round trips | CPU ms of dbconn |", "|---|---|---|---|---|"]
    for latency in (0, 10, 100, 500):
        for scenario in scenarios:
            sandbox = Sandbox(scenario, latency)
            with Place() as place:
                env = {**os.environ, **place.env, **sandbox.told["env"]}
                times, cpus = [], []
                for _ in range(3 if latency == 500 else runs):
                    began, cpu = time.monotonic(), cpu_of_children()
                    subprocess.run([str(DBCONN), "run", sandbox.short_id], env=env, check=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    times.append((time.monotonic() - began) * 1000)
                    cpus.append((cpu_of_children() - cpu) * 1000)
            sandbox.close()
            times_6 = f"{median(times) / (6 * latency):.2f}" if latency else "-"
            out.append(f"| {latency} | {scenario} | {spread(times, 0)} | {times_6} | {spread(cpus, 0)} |")
            say("    " + out[-1])
    return out


def many_issues(n, path):
    """An incident with n issues of one project; with each, 30 events."""
    scenario = json.loads((SCENARIOS / "database-down.json").read_text())
    issues = scenario["sentry"]["issues"]
    for i in range(n):
        issues.append({**issues[0], "id": str(6000000000 + i), "shortId": f"ORDERS-{1000 + i}",
                       "events": issues[0]["events"][-30:]})
    path.write_text(json.dumps(scenario))
    return [f"ORDERS-{1000 + i}" for i in range(n)]


def many_jobs(n, latency_ms):
    """n issues asked for at once, against sources with their rate limits."""
    story = pathlib.Path(tempfile.mkdtemp(prefix="dbconn-bench-")) / "story.json"
    issues = many_issues(n, story)
    sandbox = Sandbox(story, latency_ms, lift=False)
    with Place({"queue": {"max_waiting": 10000, "max_running": 1000},
                "limits": {"job_seconds": 900, "step_seconds": 900}}) as place:
        env = {**os.environ, **place.env, **sandbox.told["env"], "DBCONN_LOG_LEVEL": "info",
               "DBCONN_DATABASE_URL": place.env["DBCONN_DATABASE_URL"], "DBCONN_ACCESS_ALLOW": "*"}
        log = place.folder / "log"
        with open(log, "wb") as file:
            bot = subprocess.Popen([str(DBCONN), "serve", "--config", str(place.config)], env=env,
                                   stdout=file, stderr=file)
        deadline = time.monotonic() + 20
        while b"slack.hello" not in log.read_bytes() and time.monotonic() < deadline:
            time.sleep(0.02)
        began = time.monotonic()
        for issue in issues:
            sandbox.ask("/command", {"text": issue})
        peak, diagnosed, took = 0, 0, 0.0
        while diagnosed < n and took < 300:
            if bot.poll() is not None:
                sys.exit(f"bench: dbconn ended: {log.read_text()[-1500:]}")
            status = pathlib.Path(f"/proc/{bot.pid}/status").read_text()
            peak = max(peak, int(re.search(r"RssAnon:\s+(\d+)", status)[1]))
            diagnosed = log.read_bytes().count(b"event=job.diagnosis ")
            took = time.monotonic() - began
            time.sleep(0.05)
        calls = sum(sandbox.ask("/counts").get(k, {}).get("total", 0)
                    for k in ("sentry", "github", "elasticsearch"))
        bot.send_signal(signal.SIGTERM)
        bot.wait()
    sandbox.close()
    shutil.rmtree(story.parent)
    return took, diagnosed, peak, calls


def part_many(quick):
    out = ["## Many jobs at once", "",
           "Different issues of one project, all asked for at once in one channel, against sources that "
           "answer in 100 ms and limit their callers as the real ones do (Sentry: 40 requests a second). "
           "Telling it in Slack takes longer: that allows 50 edits a minute.", "",
           "| jobs | diagnosed | s until the last was | calls to the sources, a job | RssAnon at most, KiB |",
           "|---|---|---|---|---|"]
    for n in (10,) if quick else (10, 100, 1000):
        took, diagnosed, peak, calls = many_jobs(n, 100)
        out.append(f"| {n} | {diagnosed} | {took:.1f} | {calls / n:.1f} | {peak} |")
        say("    " + out[-1])
    return out


def part_store(quick):
    what = "history" if quick else ""
    got = subprocess.run([str(BUILD / "tests/bench/bench_store")] + ([what] if what else []),
                         capture_output=True, text=True, check=True)
    lines = [l for l in got.stdout.splitlines() if not l.startswith("left behind")]
    for folder in re.findall(r"left behind: (\S+)", got.stdout):
        shutil.rmtree(folder, ignore_errors=True)
    return ["## The store alone", "",
            "Durable enqueues through the queue (open loop), and what finished jobs cost.", "",
            "```", *lines, "```"]


# ---- the file ----


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "?"


def package_version(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name)


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    libraries = ["libwebsockets17", "libuv1", "libcurl4", "libcjson1", "libsqlite3-0", "libssl3"]
    return [
        f"- machine: {os.cpu_count()} cores of {cpu[1] if cpu else platform.machine()}, "
        f"{memory / 1048576:.1f} GiB; Linux {platform.release()}; {os.statvfs(tempfile.gettempdir()).f_bsize}-byte blocks",
        f"- compiler: {first_line('cc', '--version')}; libraries: "
        + ", ".join(f"{name} {package_version(name)}" for name in libraries),
        f"- Node {first_line('node', '--version')}, @slack/bolt "
        + json.loads((PEER / 'package.json').read_text())["dependencies"]["@slack/bolt"],
    ]


PARTS = {"start": part_start, "ack": part_ack, "durable": part_durable, "memory": part_memory,
         "job": part_job, "many": part_many, "store": part_store}
HEAD = """# Benchmarks

Written by `make bench`, which builds what it needs, installs the peer from npm and measures both
with the same generator (tests/bench/slack_load.c) in the same run. Medians, in brackets from the
least to the most. The generator shares the machine; "generator late" is by how much it sent a
command too late at most, which counts as latency of the client too.
"""


def write(path, body, loads):
    out = [HEAD] + machine()
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        out.append("- measured with real-time priority (`chrt -f 10 make bench`), as the machine was in use "
                   "by others; Linux takes 50 ms of each second from such a process that needs all of it")
    out.append("- load average when each part began: " + ", ".join(f"{l:.1f}" for l in loads))
    notes = ROOT / "tests/bench/notes.md"
    out += [""] + body + ([notes.read_text()] if notes.exists() else [])
    pathlib.Path(path).write_text("\n".join(out).rstrip() + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--out", default=str(ROOT / "BENCHMARKS.md"))
    options = parser.parse_args()
    loads, body = [], []
    for name in options.only.split(","):
        loads.append(load_average())
        say(f"{name} (load average {loads[-1]:.2f})")
        body += PARTS[name](options.quick) + [""]
        write(options.out, body, loads)  # after each, in case that a later one fails
    say(f"written: {options.out}")


if __name__ == "__main__":
    main()
