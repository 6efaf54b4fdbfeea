"""Resident memory while waiting, and over a download of 1 GB, beside peers: benches/results/memory.json."""

import pathlib
import subprocess
import sys
import tempfile
import threading

import ground

POLLS = 60
PADDING = 1_000_000_000
WAITING = f"""
[[job]]
id = 2000
exists = true
polls = [{{ status = -1, times = {POLLS} }}, {{ status = 0 }}]
"""
LARGE = f"""
[[job]]
id = 2000
exists = true
polls = [{{ status = 0 }}]
output = "ENTITY,AMOUNT"
output_file = "outbox/GL.csv"
download = [{", ".join([f"{{ padding = {PADDING} }}"] * 4)}]
"""
GOALS = {"waiting": 6000, "download": 16000}


def peak(command, env):
    """The most resident memory of a process, in kB, as the kernel has counted it since its `exec`."""
    most, over = 0, threading.Event()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def watch():
        nonlocal most
        while not over.wait(0.01):
            try:
                lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
            except OSError:
                return
            most = max([most] + [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")])

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    over.set()
    watcher.join()
    if code != 0:
        sys.exit(f"exit code {code}: {command}")
    return most


def waiting():
    """Each waits for a job that is finished after so many polls, over TLS."""
    rhythm = ["--poll-min", "50ms", "--poll-max", "50ms", "--poll-rate", "100"]
    commands = {
        "epm-gate": [ground.GATE, "attach", "2000", *rhythm],
        "Python requests": [sys.executable, f"{ground.PEERS}/status.py", "2000", "0.05"],
        "Node fetch": ["node", f"{ground.PEERS}/status.mjs", "2000", "0.05"],
    }
    return measured(commands, WAITING)


def download(folder):
    """Each saves 1 GB, over TLS; the gate also asks for the job and hashes the file."""
    url = "/interop/rest/11.1.2.3.600/applicationsnapshots/outbox%2FGL.csv/contents"
    commands = {
        "epm-gate": [ground.GATE, "attach", "2000", "--download-dir", folder, "--collect", "output"],
        "Python requests": [sys.executable, f"{ground.PEERS}/download.py", url, f"{folder}/python"],
        "Node fetch": ["node", f"{ground.PEERS}/download.mjs", url, f"{folder}/node"],
    }
    return measured(commands, LARGE)


def measured(commands, scenario):
    """The peaks by name, each before a sandbox of its own."""
    peaks = {}
    for name, command in commands.items():
        with ground.sandbox(scenario, tls=True) as env:
            command = [env["EPM_URL"] + word if word.startswith("/interop/") else word for word in command]
            peaks[name] = {"kb": peak(command, env)}
    return peaks


def main():
    with tempfile.TemporaryDirectory() as folder:
        told = {"waiting": waiting(), "download": download(folder)}
        sizes = {file.name: file.stat().st_size for file in pathlib.Path(folder).iterdir()}
        if len(sizes) != 3 or min(sizes.values()) < PADDING:
            sys.exit(f"not all of it was saved: {sizes}")
    for name, peaks in told.items():
        gate = peaks["epm-gate"]["kb"]
        for peer, one in peaks.items():
            one["ratio"] = gate / one["kb"]
            print(f"{name}: {peer} {one['kb']} kB, the gate takes {one['ratio']:.2f} of it")
        print(f"{name}: {'holds' if gate <= GOALS[name] else 'DOES NOT HOLD'}, {gate} kB of {GOALS[name]}")
    ground.write("memory", {"polls": POLLS, "padding": PADDING, "goals_kb": GOALS, **told}, **ground.peers())


main()
