"""What every bench stands on: the binaries, a sandbox, a clean environment, and a place for what was measured."""

import contextlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
GATE = str(TARGET / "x86_64-unknown-linux-musl/release/epm-gate")
SANDBOX = str(TARGET / "release/epm-sandbox")
PEERS = ROOT / "benches/peers"
RESULTS = ROOT / "benches/results"
CA = str(ROOT / "sandbox/keys/tls-ca.pem")
TLS = ["--tls-cert", str(ROOT / "sandbox/keys/tls-cert.pem"), "--tls-key", str(ROOT / "sandbox/keys/tls-key.pem")]
# Each program's own way to be told of an authority.
TRUST = {name: CA for name in ("EPM_CA_CERT", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")}


def environment(**more):
    """Nothing of the pipeline around us, and no proxy: only where programs are found, and what is given."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", **more}


@contextlib.contextmanager
def sandbox(scenario, tls):
    """A sandbox that plays this scenario; the environment to call it in."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "scenario.toml")
        file.write_text(scenario)
        command = [SANDBOX, "serve", "--scenario", str(file), *(TLS if tls else [])]
        serving = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
        try:
            said = [serving.stdout.readline().split()[-1] for _ in range(3)]
            names = ("EPM_URL", "EPM_USERNAME", "EPM_PASSWORD")
            yield environment(**dict(zip(names, said)), **(TRUST if tls else {}))
        finally:
            serving.kill()
            serving.wait()


def hyperfine(commands, env, runs, warmup, *flags):
    """Times these commands side by side, by name: the median of their wall time and the mean of their CPU, in seconds.

    What they print goes through a pipe: grep stops at its first match where it sees that nobody reads.
    """
    with tempfile.NamedTemporaryFile(suffix=".json") as told:
        command = ["hyperfine", "-N", "--style", "none", "--output", "pipe", "--runs", str(runs), "--warmup", str(warmup), *flags]
        command += ["--export-json", told.name, *commands.values()]
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        results = json.load(told)["results"]
    return {
        name: {
            "wall_s": one["median"],
            "stddev_s": one["stddev"],
            "fastest_s": one["min"],
            "cpu_s": one["user"] + one["system"],
        }
        for name, one in zip(commands, results)
    }


def version(*command):
    """The first line that a program says of itself."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def machine():
    """What was measured on, without a name of it."""
    model = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    return {"cores": os.cpu_count(), "cpu": model, "kernel": platform.release()}


def write(name, measured, **versions):
    """Keeps what was measured in benches/results/NAME.json."""
    told = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "machine": machine(), "versions": versions, **measured}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(told, indent=2) + "\n")


def peers():
    """The versions of the programs that are measured beside the gate."""
    return {
        "epm-gate": version(GATE, "--version"),
        "bash": version("bash", "--version"),
        "curl": version("curl", "--version").split(" (")[0],
        "jq": version("jq", "--version"),
        "python": version(sys.executable, "--version"),
        "requests": version(sys.executable, "-c", "import requests; print(requests.__version__)"),
        "node": version("node", "--version"),
    }
