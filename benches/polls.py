"""A sample of what benches/pace computes, played for real: benches/results/polls.json.

The gate attaches to jobs of many lengths at the same time, each in a process of its own. The first poll, which comes at once
on attaching, is left out, so that the rest is the wait that is computed for a job just submitted.
"""

import json
import math
import pathlib
import statistics
import subprocess
import tempfile

import ground

EXPECTED = 30.0
# What a length scatters by, and whether the gate is told of it.
SAMPLES = {"no hint": (0.2, False), "hint, σ 0.2": (0.2, True), "hint, σ 0.1": (0.1, True)}
JOBS = 60
POLL = 0.1


def lengths(sigma):
    """The quantiles of a log-normal length, in seconds."""
    normal = statistics.NormalDist()
    return [EXPECTED * math.exp(sigma * normal.inv_cdf((at + 0.5) / JOBS)) for at in range(JOBS)]


def hindsight(length):
    """What the best fixed interval costs, as benches/pace/simulation.rs has it."""
    return math.sqrt(2 * POLL * length) + POLL / 2


def jobs():
    """Every job that is waited for: its id, its sample, its length."""
    each = [(name, length) for name, (sigma, _) in SAMPLES.items() for length in lengths(sigma)]
    return [(2000 + at, name, length) for at, (name, length) in enumerate(each)]


def scenario():
    """Each of them, in progress for its length since it was first asked about."""
    job = '[[job]]\nid = {}\nexists = true\npolls = [{{ status = -1, lasts = "{}ms" }}, {{ status = 0 }}]\n'
    return "".join(job.format(id, round(length * 1000)) for id, _, length in jobs())


def main():
    with ground.sandbox(scenario(), tls=False) as env, tempfile.TemporaryDirectory() as folder:
        waits = []
        for id, name, _ in jobs():
            hint = ["--expect-duration", f"{EXPECTED:g}s"] if SAMPLES[name][1] else []
            command = [ground.GATE, "attach", str(id), "-q", "--report", f"{folder}/{id}.json", *hint]
            waits.append(subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL))
        codes = [wait.wait() for wait in waits]
        assert not any(codes), codes
        told = {id: json.loads(pathlib.Path(folder, f"{id}.json").read_text())["jobs"][0] for id, _, _ in jobs()}
    simulated = json.loads((ground.RESULTS / "pace.json").read_text())
    hint = next(hint for hint in simulated["hints"] if hint["expected"] == EXPECTED)
    near = min(range(len(simulated["lengths"])), key=lambda at: abs(simulated["lengths"][at] - EXPECTED))
    computed = {
        "no hint": simulated["policies"][0]["ratios"][near],
        "hint, σ 0.2": hint["scattered_20"],
        "hint, σ 0.1": hint["scattered_10"],
    }
    samples = {}
    for sample in SAMPLES:
        mine = [(told[id], length) for id, name, length in jobs() if name == sample]
        late = statistics.mean(job["durationSeconds"] - length for job, length in mine)
        polls = statistics.mean(job["polls"] - 1 for job, _ in mine)
        ratio = (late + POLL * polls) / statistics.mean(hindsight(length) for _, length in mine)
        samples[sample] = {"late_s": late, "polls": polls, "ratio": ratio, "computed": computed[sample]}
        print(f"{sample}: {late:.2f} s late after {polls:.1f} polls, {ratio:.2f} of hindsight, computed {computed[sample]:.2f}")
    ground.write("polls", {"expected_s": EXPECTED, "jobs": JOBS, "samples": samples})


main()
