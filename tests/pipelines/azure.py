#!/usr/bin/env python3
"""An agent of Azure Pipelines, as far as the gate meets one: written from Microsoft's source, and from nothing of ours.

azure.py STATE STAGE [NAME=VALUE...] runs the one job of a stage of examples/azure/azure-pipelines.yml, in which the
variable groups have these values, and ends as its gate did. STATE is a file of JSON: what the stages before have left,
and what this one leaves. `PARAMETER:NAME=VALUE` is a parameter of the template, on top of those that the stage gives.
CANCEL_AT cancels the job at the first line that holds this text.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading

import yaml

HERE = "examples/azure"
ESCAPES = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%AZP25": "%"}
AGENT = {
    "Agent.TempDirectory": os.environ["AGENT_TEMP"],
    "Build.BuildId": "77",
    "System.CollectionUri": "https://dev.azure.example/acme/",
    "System.TeamProject": "loads",
    "System.JobId": "12f1170f",
    "System.JobAttempt": "1",
}


def load(path):
    with open(f"{HERE}/{path}", encoding="utf-8") as file:
        return yaml.safe_load(file)


def text(value):
    """Every scalar is a text to Azure."""
    return str(value) if not isinstance(value, (list, dict)) else value


def compiled(node, parameters):
    """`${{ }}` replaces whole nodes, or a part of a text; it is never parsed again."""
    if isinstance(node, list):
        items = []
        for item in node:
            key = next(iter(item)) if isinstance(item, dict) else ""
            wanted = re.fullmatch(r"\$\{\{ if ne\(parameters\.(\w+), ''\) \}\}", key)
            if not wanted:
                items.append(compiled(item, parameters))
            elif parameters[wanted[1]] != "":
                items += compiled(next(iter(item.values())), parameters)
        return items
    if isinstance(node, dict):
        inserted = node.get("${{ insert }}")
        plain = {key: compiled(value, parameters) for key, value in node.items() if key != "${{ insert }}"}
        return plain if inserted is None else {**plain, **compiled(inserted, parameters)}
    if not isinstance(node, str):
        return node
    whole = re.fullmatch(r"\$\{\{ parameters\.(\w+) \}\}", node)
    if whole:
        return parameters[whole[1]]
    return re.sub(r"\$\{\{ parameters\.(\w+) \}\}", lambda found: text(parameters[found[1]]), node)


def expanded(value, variables):
    """VarUtil.ExpandValues: `$(name)` of no variable stays as it is, and what was put in is not read again."""
    known = {name.lower(): value for name, value in variables.items()}
    return re.sub(r"\$\(([^)]+)\)", lambda found: known.get(found[1].lower(), found[0]), text(value))


def parsed(line):
    """Command.TryParse: the first `##vso[` of a line, and what is split is unescaped afterwards."""
    start = line.find("##vso[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, rest = line[start + len("##vso[") : end].partition(" ")
    if len([part for part in name.split(".") if part]) != 2:
        return None
    pairs = (pair.split("=", 1) for pair in rest.split(";") if "=" in pair)
    return name.lower(), {key.lower(): unescaped(value) for key, value in pairs if value}, unescaped(line[end + 1 :])


def unescaped(value):
    for escaped, plain in ESCAPES.items():
        value = value.replace(escaped, plain)
    return value


class Job:
    """What the agent keeps of a job while its steps run."""

    def __init__(self, variables):
        self.variables = variables
        self.path = os.environ["PATH"]
        self.outputs, self.issues, self.summaries, self.results = {}, [], [], []
        self.failed = self.cancelled = False
        self.code = None

    def line(self, line, step):
        """WorkerCommandManager.TryProcessCommand: a command, or a line of the log; both streams are read alike."""
        if os.environ.get("CANCEL_AT", "\0") in line:
            self.cancelled = True
        command = parsed(line)
        if command is None:
            if "##vso" in line:
                sys.exit(f"azure.py: the agent warns of half a command: {line}")
            print(line)
            return
        name, properties, data = command
        if name == "task.setvariable" and properties.get("isoutput") == "true":
            self.outputs[f"{step}.{properties['variable']}"] = data
        elif name == "task.logissue" and properties.get("type") in ("error", "warning"):
            self.issues.append(f"{properties['type']}: {data}")
        elif name == "task.uploadsummary":
            if not os.path.isabs(data) or not os.path.isfile(data):
                sys.exit(f"azure.py: no such summary: {data!r}")
            self.summaries.append(data)
        elif name == "task.prependpath":
            self.path = f"{data}:{self.path}"
        else:
            sys.exit(f"azure.py: who would have meant this? {line}")

    def bash(self, step):
        """BashV3: `bash FILE`, with no option, both streams in one; on a cancel SIGTERM goes to that bash alone. What
        lives ten seconds longer is killed with all that it started (ProcessInvoker.cs)."""
        script = f"{os.environ['AGENT_TEMP']}/step.sh"
        with open(script, "w", encoding="utf-8") as file:
            file.write(expanded(step["bash"], self.variables))
        mapped = {name: expanded(value, self.variables) for name, value in step.get("env", {}).items()}
        public = {name: value for name, value in self.variables.items() if name not in SECRETS}
        public = {name.upper().replace(".", "_"): value for name, value in public.items()}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("EPM_", "AGENT_TEMP"))}
        known = {"TF_BUILD": "True", "SYSTEM_TASKINSTANCENAME": step.get("name", "CmdLine")}
        environment = {**clean, **public, **known, **mapped, "PATH": self.path}
        child = subprocess.Popen(["bash", script], env=environment, text=True, errors="replace", start_new_session=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        killer = threading.Timer(10, os.killpg, [child.pid, signal.SIGKILL])
        told = False
        for line in child.stdout:
            self.line(line.rstrip("\r\n"), step.get("name", "CmdLine"))
            if self.cancelled and not told:
                told = True
                child.terminate()
                killer.start()
        code = child.wait()
        killer.cancel()
        if step.get("name") == "gate":
            self.code = code
        self.failed = self.failed or code != 0

    def step(self, step):
        runs = step.get("condition", "succeeded()")
        if self.cancelled or not (runs == "succeededOrFailed()" or runs == "succeeded()" and not self.failed):
            return
        if "bash" in step:
            self.bash(step)
        elif step.get("task") == "PublishTestResults@2":
            inputs = {name: expanded(value, self.variables) for name, value in step["inputs"].items()}
            self.results.append(f"{inputs['searchFolder']}/{inputs['testResultsFiles']}")
        elif step != {"checkout": "none"}:
            sys.exit(f"azure.py: nobody plays this step: {step}")


def steps(job, parameters, given):
    for step in compiled(job["steps"], parameters):
        if "template" not in step:
            yield step
            continue
        template = load(step["template"])
        values = {spec["name"]: spec["default"] for spec in template["parameters"]}
        specs = {spec["name"]: spec for spec in template["parameters"]}
        for name, value in {**step["parameters"], **given}.items():
            if value not in specs[name].get("values", [value]):
                sys.exit(f"azure.py: {value!r} is none of the values of {name}")
            values[name] = value
        yield from compiled(template["steps"], values)


def reference(found, state):
    """`dependencies` of a condition names job and step, `stageDependencies` of a variable its job apart."""
    stage, job, output = found[1], found[2], found[3]
    if not job:
        job, _, output = output.partition(".")
    return state.get(stage, {}).get("outputs", {}).get(job, {}).get(output, "")


DEPENDENCY = r"(?:stageD|d)ependencies\.(\w+)(?:\.(\w+))?\.outputs\['([\w.]+)'\]"


def before(stage, stages):
    """The stages that one depends on, and those that they depend on: all of them count (Azure's `failed()`)."""
    named = stage.get("dependsOn", [])
    direct = [named] if isinstance(named, str) else named
    return {*direct, *(name for other in direct for name in before(stages[other], stages))}


def condition(expression, stage, stages, state):
    """The few functions that the example uses."""

    def result(name):
        return state.get(name, {}).get("result", "Skipped")

    results = [result(name) for name in before(stage, stages)]
    python = re.sub(r"dependencies\.(\w+)\.result", lambda found: repr(result(found[1])), expression)
    python = re.sub(DEPENDENCY, lambda found: repr(reference(found, state)), python)
    python = re.sub(r"\b(and|in)\(", r"\1_(", python)
    functions = {
        "and_": lambda *them: all(them),
        "in_": lambda one, *others: one in others,
        "eq": lambda one, other: one == other,
        "ne": lambda one, other: one != other,
        "failed": lambda: "Failed" in results,
        "succeeded": lambda: all(result == "Succeeded" for result in results),
    }
    return eval(python, {"__builtins__": {}}, functions)  # the expression is our own example's


def main(path, name, *settings):
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    pipeline = load("azure-pipelines.yml")
    parameters = {spec["name"]: spec["default"] for spec in pipeline["parameters"]}
    stages = {stage["stage"]: stage for stage in pipeline["stages"]}
    stage = stages[name]
    pairs = dict(setting.split("=", 1) for setting in settings)
    given = {key.removeprefix("PARAMETER:"): value for key, value in pairs.items() if key.startswith("PARAMETER:")}
    variables = {**AGENT, "System.StageName": name, **{key: value for key, value in pairs.items() if ":" not in key}}
    for variable in stage.get("variables", []):
        if "value" in variable:
            found = re.fullmatch(r"\$\[ " + DEPENDENCY + r" \]", variable["value"])
            variables[variable["name"]] = reference(found, state)
    if not condition(stage.get("condition", "succeeded()"), stage, stages, state):
        state[name] = {"result": "Skipped"}
        code = 0
    else:
        job_spec = stage["jobs"][0]
        job = Job({**variables, "System.JobName": job_spec["job"], "System.PhaseName": job_spec["job"]})
        for step in steps(job_spec, parameters, given):
            job.step(step)
        result = "Canceled" if job.cancelled else "Failed" if job.failed else "Succeeded"
        state[name] = {"result": result, "outputs": {job_spec["job"]: job.outputs}, "issues": job.issues,
                       "summaries": job.summaries, "results": job.results}
        code = job.code if job.code is not None else int(job.failed)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(state, file, indent=2)
    print(f"stage {name}: {state[name]['result']}, exit code {code}")
    sys.exit(code if code >= 0 else 99)


SECRETS = {"epmPassword"}

if __name__ == "__main__":
    main(*sys.argv[1:])
