#!/usr/bin/env python3
"""Counts the instructions of the hot paths with callgrind and compares them with counts.json.

    bench_counts.py [--update]

Fails when a count grew by more than 5 %. Counts depend on the compiler, its flags and libc, so
with others than those in counts.json it says so and compares nothing. --update writes the file.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("BUILD", "build") / "tests/bench/bench_counts"
KEPT = ROOT / "tests/bench/counts.json"
PATHS = {"envelope": "an envelope in, its acknowledgement out (of 100)",
         "events": "an event list of 1 MiB read",
         "messages": "10 messages of drivers read",
         "diff": "a diff of 3,000 files read"}
ALLOWED = 1.05


def built_with():
    def told(*command):
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0].strip()

    packages = [told("dpkg-query", "-W", "-f", "${Version}", p) for p in
                ("libc6", "libcjson1", "libpcre2-8-0")]
    return " ".join([told(os.environ.get("CC", "cc"), "--version"), os.environ.get("CFLAGS", "-O2 -g"),
                     "libc6/libcjson1/libpcre2 " + "/".join(packages), os.uname().machine])


def count(path):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--toggle-collect=hot_{path}*",
             f"--callgrind-out-file={folder}/out", str(PROGRAM), path],
            capture_output=True, text=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
        collected = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    if run.returncode or not collected or int(collected[1]) == 0:
        sys.exit(f"bench-counts: {path}: {run.stderr[-800:]}")
    return int(collected[1]) // (100 if path == "envelope" else 1)


def main():
    update = sys.argv[1:] == ["--update"]
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"built_with": "", "counts": {}}
    same = kept["built_with"] == built_with()
    counts, worse = {}, []
    for path, title in PATHS.items():
        now, before = count(path), kept["counts"].get(path)
        counts[path] = now
        change = f"{(now / before - 1) * 100:+.1f} %" if before and same else "-"
        print(f"{title:<52} {now:>12,} instructions  {change}")
        if before and same and now > before * ALLOWED:
            worse.append(path)
    if update:
        KEPT.write_text(json.dumps({"built_with": built_with(), "counts": counts}, indent=2) + "\n")
        print(f"written: {KEPT.relative_to(ROOT)}")
        return
    if not same:
        print("bench-counts: not compared: counts.json is of another compiler, library or flag:\n"
              f"  there  {kept['built_with']}\n  here   {built_with()}")
    if worse:
        sys.exit(f"bench-counts: more than 5 % more instructions than in tests/bench/counts.json: "
                 f"{', '.join(worse)} (make bench-counts UPDATE=1 accepts them)")


main()
