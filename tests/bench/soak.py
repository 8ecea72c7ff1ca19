#!/usr/bin/env python3
"""Keeps dbconn busy for a while and watches its memory: `help`, investigations, refreshed sockets.

    soak.py MINUTES

Fails when RssAnon grows by 1 KiB a minute or more after the first 10 minutes (of a
shorter run: a third of it), by the slope of a line through the samples, or when a command is not acknowledged. A run
of less than 30 minutes tells nothing of growth that slow: it only says what it saw.
"""
import sys
import time

import bench

LIMIT_KIB_PER_MINUTE = 1.0


def slope(samples):
    """KiB a minute, least squares."""
    n = len(samples)
    mean_t = sum(t for t, _ in samples) / n
    mean_m = sum(m for _, m in samples) / n
    below = sum((t - mean_t) ** 2 for t, _ in samples)
    return sum((t - mean_t) * (m - mean_m) for t, m in samples) / below * 60 if below else 0.0


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    warm = min(600.0, minutes * 20)
    samples, lost, gaps, refreshes = [], 0, 0.0, 0
    with bench.Place({"queue": {"max_waiting": 1000, "max_running": 8},
                      "limits": {"job_seconds": 20}}) as place:
        client = place.client()
        began = time.monotonic()
        while time.monotonic() - began < minutes * 60:
            for rate, seconds, text in ((200, 5, "help"), (1, 1, "SHOP-1A2"), (2000, 1, "help")):
                got = client.load(rate, seconds, text)
                lost += got["wanted"] - got["acked"]
            gaps += client.tell("refresh")["gap_ms"]
            refreshes += 1
            client.tell("idle 1")
            at = time.monotonic() - began
            memory = client.memory()["RssAnon"]
            if at > warm:
                samples.append((at, memory))
            if refreshes % 6 == 0:
                print(f"{at / 60:6.1f} min  RssAnon {memory} KiB  {lost} lost  {gaps:.1f} ms without a "
                      f"connection in {refreshes} refreshes", flush=True)
        client.stop()
    if len(samples) < 3:
        sys.exit("soak: too short for a slope: SOAK_MINUTES=3 at least")
    grows = slope(samples)
    print(f"soak: {minutes:g} min: {samples[0][1]} to {samples[-1][1]} KiB, {grows:+.2f} KiB a minute; "
          f"{refreshes} refreshes, {gaps:.1f} ms without a connection; {lost} not acknowledged")
    if lost or (minutes >= 30 and grows >= LIMIT_KIB_PER_MINUTE):
        sys.exit("soak: that is too much")


main()
