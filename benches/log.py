"""Logs diagnosed by `explain`, beside `grep -cF` over the same words: benches/results/log.json. Each has 500 MB, or as
many bytes as the first argument says."""

import json
import pathlib
import re
import sys
import tempfile

import ground

SIZE = int((sys.argv[1:] or [500_000_000])[0])
GOAL = 1.5
RUNS = 3
MARKERS = ground.ROOT / "src/diagnose/markers.rs"

# Lines as those in tests/logs, of three kinds.
INFO = (
    "2026-03-22 03:24:25,101 INFO  [AIF]: Location: GL_LOC, Period: Jan-26, Category: Actual, Log Level: 5",
    "2026-03-22 03:24:26,100 DEBUG [AIF]: Resolved essbase rule file name for loading: AIF0029",
    "2026-03-22 03:24:26,101 DEBUG [AIF]: Fetching rule file from essbase server for data loading: AIF0029",
    "2026-03-22 03:24:26,102 DEBUG [AIF]: Locked rule file: AIF0029",
)
NEAR = (
    "2026-03-22 03:24:26,102 DEBUG [AIF]: ORA-00001 ORA-12345 ORA-03114 ERRORS WARNING Error: 3304 Error=3",
    "2026-03-22 03:24:26,103 DEBUG [AIF]: Connection is reused, Connected, Invalid period, Rows read, Service is up",
    "2026-03-22 03:24:26,104 DEBUG [AIF]: [BLANKS] [NNN] [TCP] The members of Entity, Insufficient, unmapped rows",
)
HITS = (
    "2026-03-22 03:24:27,402 ERROR [AIF]: Error: 3303 Member 4711-X Not Found In Database",
    "2026-03-22 03:24:27,402 INFO  [AIF]: [NN] 3,FY26,Actual,840,P_000,NI,abc",
)
KINDS = {"noise": INFO, "near misses": NEAR, "many hits": INFO[:2] + HITS}
# Ten patterns as users write them.
RULES = [
    {"pattern": pattern, "category": "service", "transient": True, "advice": "wait, then run the job again"}
    for pattern in (
        "ORA-0[46]0[0-9]{2}", "EPMFDM-1[0-9]{5}", "lock(ed)? by user [a-z.]+", "rule file .* not found",
        "^.*Fetching .* failed", "timed? out after [0-9]+ s", "HTTP 50[0-9]", "(?i)no space left", "quota .* exceeded",
        "entity [A-Z]{3}_[0-9]+ is closed",
    )
]  # fmt: skip


def words():
    """The words of the table of markers, which says how many there are."""
    table = re.search(r"pub const ALL: \[Marker; (\d+)\] = \[(.*?)\n\];", MARKERS.read_text(), re.DOTALL)
    found = re.findall(r'Marker::(?:row|says|count|new)\(\s*"([^"]*)"', table[2])
    assert len(found) == int(table[1]), f"{len(found)} words of {table[1]}"
    return found


def fill(file, kind):
    """Lines of this kind, all different in their numbers, until the file has its size."""
    block = "".join(f"{line} #{at}\n" for at in range(2500) for line in KINDS[kind]).encode()
    with file.open("wb") as log:
        for _ in range(SIZE // len(block)):
            log.write(block)
        log.write(b" " * (SIZE % len(block) - 1) + b"\n")


def compared(log, literals):
    """The gate beside grep, in the plain locale and in one of UTF-8."""
    env = ground.environment()
    grep = f"grep -cF -f {literals} {log}"
    commands = {
        "epm-gate": f"{ground.GATE} explain {log}",
        "grep, LC_ALL=C": grep,
        "grep, LC_ALL=C.UTF-8": f"env LC_ALL=C.UTF-8 {grep}",
    }
    timed = ground.hyperfine(commands, env, RUNS, 1, "--ignore-failure")
    for one in timed.values():
        one["ratio"] = timed["epm-gate"]["wall_s"] / one["wall_s"]
        one["cpu_ratio"] = timed["epm-gate"]["cpu_s"] / one["cpu_s"]
        one["bytes_per_s"] = SIZE / one["wall_s"]
    return timed


def with_rules(log, folder):
    """With rules of a user's, whose time has a bound."""
    rules = pathlib.Path(folder, "rules.json")
    rules.write_text(json.dumps(RULES))
    commands = {"epm-gate": f"{ground.GATE} explain --rules {rules} {log}"}
    return ground.hyperfine(commands, ground.environment(), 3, 0, "--ignore-failure")["epm-gate"]


def main():
    told = {"bytes": SIZE, "words": len(words()), "goal": GOAL, "kinds": {}}
    with tempfile.TemporaryDirectory() as folder:
        log, literals = pathlib.Path(folder, "log"), pathlib.Path(folder, "words")
        literals.write_text("\n".join(words()) + "\n")
        for kind in KINDS:
            fill(log, kind)
            timed = told["kinds"][kind] = compared(log, literals)
            grep = timed["grep, LC_ALL=C"]
            ratio = grep["ratio"]
            print(f"{kind}: {ratio:.2f} times grep, {grep['cpu_ratio']:.2f} of its CPU; {'holds' if ratio <= GOAL else 'DOES NOT HOLD'}")
            if kind == "noise":
                told["rules"] = {"count": len(RULES), **with_rules(log, folder)}
                print(f"  with {len(RULES)} rules of a user's: {told['rules']['wall_s']:.1f} s")
    versions = {"epm-gate": ground.version(ground.GATE, "--version"), "grep": ground.version("grep", "--version")}
    ground.write("log", told, **versions)


main()
