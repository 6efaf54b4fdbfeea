#!/usr/bin/env python3
"""Many jobs in one process, against one process each: memory, connections, CPU per poll, and how evenly the polls come.

many.py [--gate FILE] [--sandbox FILE] [--seconds N] [--jobs N,N...] [--to FILE]: the gate as it ships and the sandbox are
those that were built last. Prints a row for each number of jobs, and writes benches/results/many.json. Linux only: it reads
/proc.

Each row is one `attach` to so many jobs that do not end before the deadline, with a poll rate of POLLS_A_SECOND, where
EPM takes LATENCY for an answer. The window that is looked at begins when every job has had its first poll.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
GATE = TARGET / "x86_64-unknown-linux-musl/release/epm-gate"
SANDBOX = TARGET / "debug/epm-sandbox"
RESULT = ROOT / "benches/results/many.json"

COUNTS = "1,10,100,1000"
POLLS_A_SECOND = 100
SECONDS = 60
BEGIN, END = 0.3, 0.8  # of the seconds: what is looked at
LATENCY = "20ms"
FIRST_ID = 5000


def scenario(count, polls):
    jobs = (f"[[job]]\nname = 'J{n}'\nid = {FIRST_ID + n}\nexists = true\npolls = [{polls}]\n" for n in range(count))
    return "\n".join(jobs)


def serve(sandbox, folder, count, polls):
    """A sandbox with so many jobs: its process, and what leads to it."""
    (folder / "scenario.toml").write_text(scenario(count, polls))
    command = [sandbox, "serve", "--scenario", folder / "scenario.toml", "--log", folder / "requests"]
    served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url, username, password = (served.stdout.readline().split()[-1] for _ in range(3))
    return served, {"EPM_URL": url, "EPM_USERNAME": username, "EPM_PASSWORD": password}


def environment(service, folder):
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    outputs = {"EPM_OUTPUTS_DIR": str(folder / "outputs"), "EPM_SUMMARY": str(folder / "summary.md")}
    return kept | service | outputs


def resident(pid):
    """The most that a process has had in memory so far, in KB. Not `ru_maxrss`: that begins with its parent's."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def spent(pid):
    """The milliseconds of CPU that a process has had so far, in all of its threads that still run."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e6


def watch(child, until):
    """Memory in KB and CPU in milliseconds at the moment `until`, while the process waits."""
    time.sleep(max(0, until - time.monotonic()))
    if child.poll() is not None:
        sys.exit(f"the gate ended before its deadline, with {child.returncode}")
    return resident(child.pid), spent(child.pid)


def evenness(times, start, end, bucket=100):
    """The busiest 100 ms against the mean of all, over the time in which nothing begins or ends."""
    counts = [0] * ((end - start) // bucket)
    for at in times:
        if start <= at < start + len(counts) * bucket:
            counts[(at - start) // bucket] += 1
    return max(counts) / (sum(counts) / len(counts))


def attach(gate, sandbox, count, seconds):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        served, service = serve(sandbox, folder, count, f"{{ status = -1, delay = '{LATENCY}' }}")
        ids = [str(FIRST_ID + n) for n in range(count)]
        arguments = ["--timeout", f"{seconds}s", "--poll-rate", str(POLLS_A_SECOND), "--poll-max", "10s"]
        with open(folder / "log", "wb") as log:
            start = time.monotonic()
            child = subprocess.Popen([gate, "attach", *ids, *arguments], env=environment(service, folder), stderr=log)
            _, begun = watch(child, start + BEGIN * seconds)
            memory, cpu = watch(child, start + END * seconds)
            code = child.wait()
        served.kill()
        served.wait()
        if code != 20:
            sys.exit((folder / "log").read_text() + f"exit code {code} in place of 20")
        requests = [json.loads(line) for line in (folder / "requests").read_text().splitlines()]
    times = [request["at_ms"] for request in requests]
    window = [times[0] + round(share * seconds * 1000) for share in (BEGIN, END)]
    polls = sum(window[0] <= at < window[1] for at in times)
    return {
        "jobs": count,
        "memory_kb": memory,
        "connections": max(request["open"] for request in requests),
        "polls_a_second": round(polls * 1000 / (window[1] - window[0]), 1),
        "cpu_ms_a_poll": round((cpu - begun) / polls, 3),
        "cpu_ms": round(cpu, 1),  # from the start on
        "busiest_tenth": round(evenness(times, *window), 2),
    }


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--gate", default=GATE)
    options.add_argument("--sandbox", default=SANDBOX)
    options.add_argument("--seconds", type=float, default=SECONDS)
    options.add_argument("--jobs", default=COUNTS)
    options.add_argument("--to", type=pathlib.Path, default=RESULT)
    options = options.parse_args()
    rows = []
    for count in map(int, options.jobs.split(",")):
        row = attach(options.gate, options.sandbox, count, options.seconds)
        rows.append(row)
        if count > rows[0]["jobs"]:
            row["memory_kb_a_job"] = round((row["memory_kb"] - rows[0]["memory_kb"]) / (count - rows[0]["jobs"]), 2)
        print(row, flush=True)
    result = {"seconds": options.seconds, "latency": LATENCY, "poll_rate": POLLS_A_SECOND, "rows": rows}
    options.to.parent.mkdir(exist_ok=True)
    options.to.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
