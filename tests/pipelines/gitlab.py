#!/usr/bin/env python3
"""What GitLab itself does, where no runner here does it: written from GitLab's source, and from nothing of ours.

gitlab.py include TEMPLATE NAME=VALUE...  prints the component as GitLab's parser gets it
gitlab.py dotenv FILE                     refuses what GitLab refuses, and what we never want to see there
gitlab.py annotations FILE                refuses what GitLab refuses
gitlab.py junit FILE STATUS               the one test case has this status in GitLab's eyes
gitlab.py retried PIPELINE JOB CODE N     ends well if GitLab starts the job again after its Nth attempt ended so
"""

import json
import re
import sys

import yaml


def refuse(why):
    sys.exit(f"gitlab.py: GitLab refuses this: {why}")


def default(name, spec):
    """An input without a default is one that has to be given."""
    if "default" not in spec:
        refuse(f"`{name}` input: required value has not been provided")
    return spec["default"]


def checked(name, spec, value):
    """lib/gitlab/ci/config/interpolation/inputs: the type, the options, and a pattern that no empty text matches."""
    kind = {"string": str, "array": list, "number": (int, float), "boolean": bool}[spec.get("type", "string")]
    if not isinstance(value, kind):
        refuse(f"`{name}` input: {value!r} has another type")
    if "options" in spec and value not in spec["options"]:
        refuse(f"`{name}` input: {value!r} is not one of the options")
    # RE2, whose `^` and `$` are the ends of the text.
    if "regex" in spec and not (value.strip() and re.search(spec["regex"].replace("$", r"\Z"), value)):
        refuse(f"`{name}` input: {value!r} does not match the pattern")
    return value


def include(path, *given):
    """interpolation/text_template.rb: the values are pasted into the text, and only then is it parsed."""
    header, body = re.split(r"^---\n", open(path, encoding="utf-8").read(), flags=re.MULTILINE)
    specs = yaml.load(header, yaml.CSafeLoader)["spec"]["inputs"]
    values = {}
    for pair in given:
        name, _, value = pair.partition("=")
        values[name] = json.loads(value) if specs[name].get("type", "string") != "string" else value
    for name, spec in specs.items():
        values[name] = checked(name, spec, values[name] if name in values else default(name, spec))

    def paste(block):
        value = values[block[1]]
        return value if isinstance(value, str) else json.dumps(value)

    text = re.sub(r"\$\[\[\s*inputs\.([\w-]+)\s*\]\]", paste, body)
    yaml.load(text, yaml.CSafeLoader)  # GitLab's parser is the same libyaml
    print(text, end="")


def dotenv(path):
    """app/services/ci/parse_dotenv_artifact_service.rb, and the limits of an instance of one's own."""
    raw = open(path, "rb").read()
    if len(raw) >= 5 * 1024:
        refuse("Dotenv Artifact Too Big")
    variables = {}
    for line in raw.decode("utf-8").splitlines(keepends=True):
        found = re.findall(r"^(.*?)=(.*)$", line, flags=re.MULTILINE)
        if not found:
            refuse(f"Invalid Format: {line!r}")
        key, value = (text.strip() for text in found[-1])
        if not re.fullmatch(r"[a-zA-Z0-9_]{1,255}", key):
            refuse(f"Key can contain only letters, digits and '_': {key!r}")
        # Ours is stricter: nothing that GitLab, a shell or Java's properties would read as more than itself.
        if not re.fullmatch(r"[A-Za-z0-9_./:@+%-]*", value):
            refuse(f"a value with more in it than it says: {value!r}")
        variables[key] = value
    if len(variables) > 20:
        refuse("Dotenv files cannot have more than 20 variables")
    if len(variables) > 12:
        sys.exit(f"gitlab.py: more than our own 12 variables: {sorted(variables)}")


def annotations(path):
    """app/services/ci/parse_annotations_artifact_service.rb, and the schema ci_job_annotation_data.json."""
    raw = open(path, "rb").read()
    if len(raw) > 80 * 1024:
        refuse("Annotations Artifact Too Big")
    lists = json.loads(raw.decode("utf-8"))
    if not isinstance(lists, dict):
        refuse("Annotations files must be a JSON object")
    if len(lists) > 20:
        refuse("more than 20 annotation lists")
    links = 0
    for name, items in lists.items():
        if not 0 < len(name) <= 255 or not isinstance(items, list) or len(items) > 1000:
            refuse(f"the list {name!r}")
        for item in items:
            link = item.get("external_link", {})
            if set(item) - {"external_link"} or set(link) - {"label", "url"}:
                refuse(f"additional properties: {item!r}")
            if not all(isinstance(text, str) for text in link.values()):
                refuse(f"not a string: {item!r}")
            if not re.match(r"https?://", link.get("url", "")):
                sys.exit(f"gitlab.py: a link to nowhere: {item!r}")
            links += 1
    print(f"{links} links")


def junit(path, status):
    """lib/gitlab/ci/parsers/test/junit.rb shows the text of the element, and neither its type nor its message."""
    from junitparser import Error, Failure, JUnitXml, Skipped

    cases = [case for suite in JUnitXml.fromfile(path) for case in suite]
    if len(cases) != 1 or not (cases[0].name and cases[0].classname):
        sys.exit(f"gitlab.py: not one case with a name and a class: {cases}")
    names = {Failure: "failed", Error: "error", Skipped: "skipped"}
    seen = [names[type(result)] for result in cases[0].result] or ["success"]
    if seen != [status]:
        sys.exit(f"gitlab.py: {seen} in place of {status}")
    for result in cases[0].result:
        # A `type` that Rails takes for a cast would change the text, or refuse it.
        if result.type in {"symbol", "yaml", "file", "array", "hash", "integer", "boolean", "date", "string"}:
            refuse(f"type {result.type!r}")
        if not (result.text or "").strip():
            sys.exit("gitlab.py: a test that failed, and GitLab shows no reason")


def retried(path, job, code, attempt):
    """lib/gitlab/ci/build/auto_retry.rb: `when` is `always` only where neither it nor `exit_codes` is given."""
    retry = yaml.load(open(path, encoding="utf-8"), yaml.CSafeLoader)[job].get("retry", 0)
    retry = retry if isinstance(retry, dict) else {"max": retry}
    when = retry.get("when", [] if "exit_codes" in retry else ["always"])
    by_reason = {"always", "script_failure"} & set([when] if isinstance(when, str) else when)
    wanted = by_reason or int(code) in retry.get("exit_codes", [])
    sys.exit(0 if wanted and int(attempt) <= retry["max"] else 1)


if __name__ == "__main__":
    verbs = [include, dotenv, annotations, junit, retried]
    {verb.__name__: verb for verb in verbs}[sys.argv[1]](*sys.argv[2:])
