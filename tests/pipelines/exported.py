"""Reads exports that the gate sent by the messages of OpenTelemetry itself, and looks whether each is a trace.

exported.py DIR: DIR holds *.request. Prints how many there were of each name of a span, and of each encoding.
"""

import base64
import collections
import json
import pathlib
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE = bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736")
PARENT = bytes.fromhex("00f067aa0ba902b7")
counts = collections.Counter()


def in_base64(node):
    """OTLP writes ids in hexadecimal, where JSON of protobuf has base64."""
    if isinstance(node, list):
        return [in_base64(item) for item in node]
    if not isinstance(node, dict):
        return node
    ids = {"traceId", "spanId", "parentSpanId"}
    return {
        key: base64.b64encode(bytes.fromhex(value)).decode() if key in ids else in_base64(value)
        for key, value in node.items()
    }


def decoded(headers, body):
    request = ExportTraceServiceRequest()
    if headers["content-type"] == "application/json":
        counts["json"] += 1
        json_format.Parse(json.dumps(in_base64(json.loads(body))), request)
    else:
        assert headers["content-type"] == "application/x-protobuf", headers
        counts["protobuf"] += 1
        request.ParseFromString(body)
        again = ExportTraceServiceRequest()
        again.CopyFrom(request)
        again.DiscardUnknownFields()
        assert again == request and again.SerializeToString() == request.SerializeToString(), "unknown fields"
    return request


for path in sorted(pathlib.Path(sys.argv[1]).glob("*.request")):
    head, _, body = path.read_bytes().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith("POST /"), lines[0]
    request = decoded(dict(line.split(": ", 1) for line in lines[1:]), body)
    (of_resource,) = request.resource_spans
    resource = {pair.key: pair.value.string_value for pair in of_resource.resource.attributes}
    assert resource["service.name"] == "epm-gate" and resource["service.version"], resource
    (of_scope,) = of_resource.scope_spans
    spans = {span.span_id: span for span in of_scope.spans}
    assert len(spans) == len(of_scope.spans) and all(len(id) == 8 and any(id) for id in spans)
    assert {span.trace_id for span in spans.values()} == {TRACE}
    roots = [span for span in spans.values() if span.parent_span_id not in spans]
    assert [(span.name, span.parent_span_id, span.flags) for span in roots] == [("gate", PARENT, 0x301)], roots
    for span in spans.values():
        counts[span.name.replace(" ", "-")] += 1
        counts["failed"] += span.name == "gate" and span.status.code == 2
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano and span.kind == 1, span
        parent = spans.get(span.parent_span_id)
        if parent:
            assert parent.start_time_unix_nano <= span.start_time_unix_nano, (parent, span)
            assert span.end_time_unix_nano <= parent.end_time_unix_nano, (parent, span)
        keys = [pair.key for pair in span.attributes]
        assert len(keys) == len(set(keys)), keys
        for event in span.events:
            counts["event:" + event.name.replace(" ", "-")] += 1
            assert span.start_time_unix_nano <= event.time_unix_nano <= span.end_time_unix_nano, (span, event)
print(*(f"{name}={count}" for name, count in sorted(counts.items())))
