"""Reads requests that the gate sent, each by a reader that is not ours, and writes the data of events for the schema.

notified.py DIR: DIR holds *.request; writes *.event.json, *.data.json and *.card.json, prints how many of each kind there were.
"""

import collections
import json
import pathlib
import sys

from cloudevents.v1.http import from_http
from slack_sdk.models.blocks import Block

counts = collections.Counter()
# developer.pagerduty.com/docs/events-api-v2/trigger-events/: the fields and the severities that are documented.
EVENT = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}

for path in sorted(pathlib.Path(sys.argv[1]).glob("*.request")):
    head, _, body = path.read_bytes().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    content = json.loads(body)
    assert lines[0].startswith("POST "), lines[0]
    if "specversion" in content:
        assert headers["content-type"].startswith("application/cloudevents+json"), headers
        event = from_http(headers, body)
        assert event["id"] and event["type"].startswith("com.github.acme.epm-gate.job."), event
        path.with_suffix(".event.json").write_bytes(body)
        path.with_suffix(".data.json").write_text(json.dumps(event.data))
        counts["cloudevents"] += 1
    elif "blocks" in content:
        assert len(content["blocks"]) <= 50
        for block in content["blocks"]:
            parsed = Block.parse(block)
            parsed.validate_json()
            for field in block.get("fields", []):
                assert len(field["text"]) <= 2000, field
        counts["slack"] += 1
    elif "attachments" in content:
        assert content["type"] == "message" and len(body) <= 28 * 1024
        (attachment,) = content["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        path.with_suffix(".card.json").write_text(json.dumps(attachment["content"]))
        counts["teams"] += 1
    else:
        assert set(content) <= EVENT, content
        assert content["event_action"] in {"trigger", "resolve"} and len(content["routing_key"]) == 32
        assert 0 < len(content["dedup_key"]) <= 255
        if content["event_action"] == "trigger":
            payload = content["payload"]
            assert set(payload) <= PAYLOAD and {"summary", "source", "severity"} <= set(payload), payload
            assert payload["severity"] in {"critical", "error", "warning", "info"}
            assert len(payload["summary"]) <= 1024 and len(body) <= 512 * 1024
        counts[content["event_action"]] += 1
print(*(f"{kind}={count}" for kind, count in sorted(counts.items())))
