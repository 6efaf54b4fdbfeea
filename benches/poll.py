"""One poll, from the start of a process to its exit, beside the ways people write it: benches/results/poll.json. Each runs 50
times, or as often as the first argument says."""

import shlex
import sys

import ground

RUNS = int((sys.argv[1:] or [50])[0])
SCENARIO = """
[[job]]
id = 2000
exists = true
polls = [{ status = 0 }]
"""
GOALS = {"bash, curl and jq": 0.10, "Python requests": 0.04, "Node fetch": 0.08, "curl alone": 0.5}


def commands(env):
    """The command lines by name."""
    login = shlex.quote(f"{env['EPM_USERNAME']}:{env['EPM_PASSWORD']}")
    return {
        "epm-gate": f"{ground.GATE} status 2000",
        "bash, curl and jq": f"bash {ground.PEERS}/status.sh 2000",
        "Python requests": f"{sys.executable} {ground.PEERS}/status.py 2000 1",
        "Node fetch": f"node {ground.PEERS}/status.mjs 2000 1",
        "curl alone": f"curl --silent --show-error --fail --user {login} "
        f"{env['EPM_URL']}/aif/rest/V1/jobs/2000",
    }


def compared(tls):
    """All of them in one run, and the gate's part of each peer's time."""
    with ground.sandbox(SCENARIO, tls) as env:
        timed = ground.hyperfine(commands(env), env, RUNS, 5)
    gate = timed["epm-gate"]
    for peer, goal in GOALS.items():
        one = timed[peer]
        one["wall_ratio"] = gate["wall_s"] / one["wall_s"]
        one["cpu_ratio"] = gate["cpu_s"] / one["cpu_s"]
        one["goal"] = goal
        holds = "holds" if one["wall_ratio"] <= goal else "DOES NOT HOLD"
        print(f"  {peer}: {one['wall_ratio']:.3f} of its wall time, {one['cpu_ratio']:.3f} of its CPU; {goal} {holds}")
    return timed


def main():
    measured = {"runs": RUNS}
    for name, tls in (("tls", True), ("plain", False)):
        print(f"one poll, {name}:")
        measured[name] = compared(tls)
    ground.write("poll", measured, **ground.peers())


main()
