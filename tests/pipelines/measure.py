"""Runs the gate, and holds it to its deadline and its memory: prints a row of the table, and fails where it is late,
early, large, or left an output out.

measure.py NAME TIMEOUT LEAST CODE OUTCOME COMMAND...
  LEAST is how long a run must take that is known to block; a fault that does not strike would pass unseen.
  EPM_URL=never-opens is replaced by the address of a connection that never opens.
"""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

GRACE = 1.0  # seconds after the deadline by which everything stands
LARGEST = 64  # MB
WRITTEN = ("outcome", "exitCode", "submitted", "jobId", "jobs", "durationSeconds")


def never_opens():
    """A listener whose queue is full, with what fills it."""
    kept = [socket.socket()]
    kept[0].bind(("127.0.0.1", 0))
    kept[0].listen(1)
    address = kept[0].getsockname()
    while True:
        kept.append(socket.socket())
        kept[-1].settimeout(0.3)
        try:
            kept[-1].connect(address)
        except TimeoutError:
            return f"http://127.0.0.1:{address[1]}", kept


def run(command, folder):
    """Exit code, seconds and peak memory in MB, which is never told as less than that of this program, out of which it
    was started. Nobody ever writes to its stdin, nor closes it."""
    environment = dict(os.environ, EPM_OUTPUTS_DIR=str(folder / "outputs"), EPM_SUMMARY=str(folder / "summary.md"))
    kept = None
    if environment.get("EPM_URL") == "never-opens":
        environment["EPM_URL"], kept = never_opens()
    with open(folder / "log", "wb") as log:
        start = time.monotonic()
        child = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
    del kept
    return os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss / 1024


def main(name, timeout, least, code, outcome, *command):
    timeout, least = float(timeout), float(least)
    folder = pathlib.Path(tempfile.mkdtemp())
    exit_code, seconds, megabytes = run(command, folder)
    print(f"{name:<44} | {timeout:5.1f} s | {seconds:7.3f} s | {megabytes:5.1f} MB | {exit_code}", flush=True)

    def text(path):
        return path.read_text() if path.exists() else None

    outputs = {output: text(folder / "outputs" / output) for output in WRITTEN}
    wrong = [f"no output {output}" for output, value in outputs.items() if value is None]
    if (exit_code, outputs["outcome"]) != (int(code), outcome):
        wrong.append(f"it ended with {exit_code} {outputs['outcome']} in place of {code} {outcome}")
    if not text(folder / "summary.md"):
        wrong.append("no summary")
    if seconds > timeout + GRACE:
        wrong.append(f"it ended {seconds - timeout:.3f} s after its deadline")
    if seconds < least:
        wrong.append(f"it took less than {least} s: nothing blocked it")
    if megabytes > LARGEST:
        wrong.append(f"it took more than {LARGEST} MB")
    if wrong:
        sys.exit(f"{name}: {'; '.join(wrong)}\n{text(folder / 'log')}")


main(*sys.argv[1:])
