"""What a cluster makes of the manifests in examples/: the pods, and each pod's container as it would be started.

    pods.py kubernetes FILE NAME INTO          the pod of a Job of this name, from a Job or a CronJob
    pods.py policy FILE CODE [CONDITION]       what podFailurePolicy makes of a pod that ended so
    pods.py argo FILE NAME INTO [KEY=VALUE...] the pods of a workflow of this name with these arguments
    pods.py retries FILE TEMPLATE CODE STATUS  whether Argo tries such a pod again
    pods.py tekton TASK TASKRUN NAME INTO      the pod of a TaskRun of this name
    pods.py termination TASK RESULTS           the message that a step leaves for Tekton
    pods.py run POD ROOT                       becomes the pod's container, with the binary in ROOT/image

Whatever a manifest holds that is not understood here is an error, so that nothing in it goes untried.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import yaml

SCRATCH = "ghcr.io/acme/epm-gate:1-scratch"
ENTRYPOINT = "/usr/local/bin/epm-gate"
# Where the manifests' Secret comes from: the sandbox.
SECRETS = {("epm-prod", "username"): "EPM_USERNAME", ("epm-prod", "password"): "EPM_PASSWORD"}


def load(file):
    return yaml.safe_load(Path(file).read_text())


def only(mapping, *keys):
    """The mapping, which has no other keys than these."""
    unknown = sorted(set(mapping) - set(keys))
    if unknown:
        sys.exit(f"not understood: {', '.join(unknown)} in {mapping}")
    return mapping


def one(items, what):
    if len(items) != 1:
        sys.exit(f"{len(items)} of {what} in place of one")
    return items[0]


def write(into, name, spec, labels):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
    Path(into, f"{name}.json").write_text(json.dumps(pod))


# Kubernetes


def job_spec(file):
    manifest = load(file)
    if manifest["kind"] == "CronJob":
        manifest = manifest["spec"]["jobTemplate"]
    return manifest["spec"]


def kubernetes(file, name, into):
    """The Job controller names the pod's Job in a label."""
    write(into, f"{name}-pod", job_spec(file)["template"]["spec"], {"batch.kubernetes.io/job-name": name})


def policy(file, code, *conditions):
    """The first rule that fits decides; where none does, the pod counts towards backoffLimit."""
    for rule in job_spec(file)["podFailurePolicy"]["rules"]:
        only(rule, "action", "onPodConditions", "onExitCodes")
        wanted = [only(c, "type", "status")["type"] for c in rule.get("onPodConditions", [])]
        if set(wanted) & set(conditions):
            return print(rule["action"])
        codes = rule.get("onExitCodes")
        if codes and (int(code) in codes["values"]) == (codes["operator"] == "In"):
            return print(rule["action"])
    print("Count")


# Argo


def argo(file, name, into, *arguments):
    """The steps of the entrypoint: a pod for each item."""
    spec = load(file)["spec"]
    known = dict(a.split("=", 1) for a in arguments)
    values = {"workflow.name": name}
    for parameter in spec["arguments"]["parameters"]:
        values[f"workflow.parameters.{parameter['name']}"] = known.pop(parameter["name"], parameter.get("value"))
    if known:
        sys.exit(f"no parameters of the workflow: {known}")
    templates = {t["name"]: t for t in spec["templates"]}
    entry = only(templates[spec["entrypoint"]], "name", "parallelism", "steps")
    step = one(one(entry["steps"], "steps"), "parallel steps")
    only(step, "name", "template", "arguments", "withParam")
    for number, item in enumerate(json.loads(filled(step["withParam"], values))):
        given = filled(step["arguments"], {**values, "item": item})
        inputs = {f"inputs.parameters.{p['name']}": p["value"] for p in given["parameters"]}
        template = templates[step["template"]]
        if sorted(inputs) != sorted(f"inputs.parameters.{p['name']}" for p in template["inputs"]["parameters"]):
            sys.exit(f"the inputs of {template['name']} are not what it is given: {sorted(inputs)}")
        template = filled({k: v for k, v in template.items() if k != "retryStrategy"}, {**values, **inputs})
        pod = {"containers": [{"name": "main", **template["container"]}], "restartPolicy": "Never"}
        pod |= {key: spec[key] for key in ("volumes", "securityContext") if key in spec}
        if not pod["containers"][0].get("command"):
            sys.exit("Argo would ask a registry for the command")
        write(into, f"{name}-{number}", pod, {})
        found = [only(o["valueFrom"], "path", "default") and o for o in template["outputs"]["parameters"]]
        Path(into, f"{name}-{number}.outputs").write_text(
            "".join(f"{o['name']} {o['valueFrom']['path']}\n" for o in found)
        )


def filled(tree, values):
    """Argo's {{...}}, each of which must be known."""
    if isinstance(tree, dict):
        return {key: filled(value, values) for key, value in tree.items()}
    if isinstance(tree, list):
        return [filled(value, values) for value in tree]
    if isinstance(tree, str):
        return re.sub(r"\{\{(.*?)\}\}", lambda found: str(values[found[1].strip()]), tree)
    return tree


def retries(file, template, code, status):
    """The expression, whose operators are spelled as Python spells them but for `||`."""
    strategy = one([t for t in load(file)["spec"]["templates"] if t["name"] == template], template)["retryStrategy"]
    only(strategy, "limit", "retryPolicy", "expression", "backoff")
    if strategy["retryPolicy"] != "Always":
        sys.exit("another policy than Always decides before the expression")
    expression = strategy["expression"].replace("||", "or")
    last = type("Last", (), {"exitCode": code, "status": status})
    print(bool(eval(expression, {"__builtins__": {}}, {"lastRetry": last, "asInt": int})))


# Tekton


def tekton(task, run, name, into):
    """The one step of the Task, with the params and the workspace of the TaskRun."""
    task = only(load(task)["spec"], "description", "params", "workspaces", "results", "steps")
    run = only(load(run)["spec"], "taskRef", "timeout", "params", "workspaces", "podTemplate")
    given = {p["name"]: p["value"] for p in run["params"]}
    values = {"context.taskRun.name": name}
    for param in task["params"]:
        only(param, "name", "description", "default")
        values[f"params.{param['name']}"] = given.pop(param["name"], param.get("default"))
    if given:
        sys.exit(f"no params of the Task: {given}")
    step = one(task["steps"], "steps")
    mounts = [{"name": "results", "mountPath": "/tekton/results"}]
    volumes = [{"name": "results", "emptyDir": {}}]
    for workspace in run["workspaces"]:
        path = f"/workspace/{workspace['name']}"
        values[f"workspaces.{workspace['name']}.path"] = path
        mounts.append({"name": workspace["name"], "mountPath": path})
        volumes.append(workspace)
    if {w["name"] for w in task["workspaces"]} != {w["name"] for w in run["workspaces"]}:
        sys.exit("the workspaces of Task and TaskRun differ")
    if not step.get("command"):
        sys.exit("Tekton would ask a registry for the command")
    container = {**replaced(step, values), "volumeMounts": mounts}
    container["resources"] = container.pop("computeResources")
    pod = {"containers": [container], "volumes": volumes, "restartPolicy": "Never", **run["podTemplate"]}
    write(into, name, pod, {})


def replaced(tree, values):
    """Tekton's $(...), each of which must be known and set."""
    if isinstance(tree, dict):
        return {key: replaced(value, values) for key, value in tree.items()}
    if isinstance(tree, list):
        return [replaced(value, values) for value in tree]
    if isinstance(tree, str):
        return re.sub(r"\$\((.*?)\)", lambda found: str(required(values, found[1])), tree)
    return tree


def required(values, name):
    if values.get(name) is None:
        sys.exit(f"$({name}) is not set")
    return values[name]


def termination(task, results):
    """As pkg/termination/write.go: JSON in which Go escapes more than it must, 4096 bytes at most."""
    entries = []
    for result in load(task)["spec"]["results"]:
        only(result, "name", "description")
        entries.append({"key": result["name"], "value": Path(results, result["name"]).read_text(), "type": 1})
    entries.append({"key": "StartedAt", "value": "2026-01-01T00:00:00.000Z", "type": 3})
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    print(text)


# A pod


def run(pod, root):
    """As a container is started: the image alone, the manifest's user, environment, volumes and nothing else."""
    manifest = json.loads(Path(pod).read_text())
    name, spec = manifest["metadata"]["name"], manifest["spec"]
    container = one(spec["containers"], "containers")
    if container["image"] != SCRATCH:
        sys.exit(f"another image: {container['image']}")
    security = {**spec.get("securityContext", {}), **container["securityContext"]}
    if not security["runAsNonRoot"] or security["runAsUser"] == 0 or not security["readOnlyRootFilesystem"]:
        sys.exit("the container might run as root, or write anywhere")
    image = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=Path(root, "roots")))
    image.chmod(0o755)
    os.makedirs(image / "usr/local/bin")
    os.link(Path(root, "image"), f"{image}{ENTRYPOINT}")
    mounts = []
    for mount in container["volumeMounts"]:
        volume = one([v for v in spec["volumes"] if v["name"] == mount["name"]], mount["name"])
        place = stored(volume, name, root, security["fsGroup"])
        os.makedirs(f"{image}{mount['mountPath']}")
        mounts += [f"mount --bind '{place}' '{image}{mount['mountPath']}'"]
    command = container.get("command", [ENTRYPOINT]) + container.get("args", [])
    steps = [f"mount --bind '{image}' '{image}'", f"mount -o remount,bind,ro '{image}'", *mounts]
    user = f"{security['runAsUser']}:{security['runAsGroup']}"
    chroot = f'exec chroot --userspec={user} --groups={security["fsGroup"]} \'{image}\' "$@"'
    script = " && ".join([*steps, chroot])
    os.execve(
        "/usr/bin/unshare", ["unshare", "--mount", "sh", "-c", script, "sh", *command], environment(manifest, container)
    )


def stored(volume, pod, root, group):
    """The folder behind a volume, which belongs to fsGroup as the kubelet sees to."""
    only(volume, "name", "persistentVolumeClaim", "emptyDir")
    claim = volume.get("persistentVolumeClaim")
    place = Path(root, "claims", claim["claimName"]) if claim else Path(root, "empty", pod, volume["name"])
    place.mkdir(parents=True, exist_ok=True)
    os.chown(place, 0, group)
    place.chmod(0o2775)
    return place


def environment(manifest, container):
    """What the manifest says, but for the address; and the pace of the tests."""
    found = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    found |= {name: os.environ[name] for name in ("EPM_POLL_MIN", "EPM_OUTAGE_BUDGET") if name in os.environ}
    for variable in container["env"]:
        found[only(variable, "name", "value", "valueFrom")["name"]] = variable.get("value") or value(manifest, variable)
    if not found["EPM_URL"].startswith("https://epm-acme."):
        sys.exit(f"another address: {found['EPM_URL']}")
    return found | {"EPM_URL": os.environ["EPM_URL"]}


def value(manifest, variable):
    source = variable["valueFrom"]
    if "secretKeyRef" in source:
        reference = only(source["secretKeyRef"], "name", "key")
        return os.environ[SECRETS[reference["name"], reference["key"]]]
    label = re.fullmatch(r"metadata\.labels\['(.*)'\]", only(source, "fieldRef")["fieldRef"]["fieldPath"])
    return manifest["metadata"]["labels"][label[1]]


if __name__ == "__main__":
    commands = (kubernetes, policy, argo, retries, tekton, termination, run)
    {command.__name__: command for command in commands}[sys.argv[1]](*sys.argv[2:])
