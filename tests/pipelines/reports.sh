#!/usr/bin/env bash
# Holds every kind of report to readers that are not ours: JSON to its schema (check-jsonschema), JUnit to junitparser,
# markdown to cmark-gfm, the page of HTML to Chromium at two widths, light and dark. The reports are those of
# src/report/samples.rs, and those of the binary in runs of its own. Each reader is shown something broken first, which it
# must refuse. Needs no network but for pip and apt the first time.
. "${BASH_SOURCE[0]%/*}/prelude.bash"

pypi
debian cmark-gfm cmark-gfm
debian chromium chromium
built
python=.tools/venv/bin/python
mkdir "$work/all" "$work/shots"

# The samples, as `cargo test` renders them.
samples() {
  say 'the samples'
  EPM_GATE_WRITE_SAMPLES="$work/all" expect 0 cargo test --quiet --locked --package epm-gate --lib -- \
    renderings::are_written_where_somebody_asks_for_them
  [ "$(find "$work/all" -name '*.report.json' | wc -l)" -ge 14 ] || fail 'there are fewer than 14 samples'
}

# Runs of the binary: an exit code, the name of the run, and its flags.
runs() {
  local file
  say 'runs of the binary'
  while read -r code scenario flags; do
    file="$work/all/run-$scenario"
    serve --scenario "$scenario"
    # shellcheck disable=SC2086 # several flags
    expect "$code" env CI=true GITHUB_ACTIONS=true "$static" run --job-name GL_DATA_LOAD --poll-min 20ms --poll-max 50ms \
      --report "$file.report.json" --attestation "$file.attestation.json" --junit "$file.junit.xml" \
      --html "$file.page.html" --summary "$file.summary.md" $flags
  done <<'RUNS'
0 succeeds
0 warns
10 fails-with-rejected-rows
10 fails-with-details
10 hostile-text
13 quick-success --min-duration 1h
20 never-ends --timeout 1s
24 reset-after-submit
30 unauthorized
31 unavailable-for-ever --outage-budget 300ms
RUNS
}

# A command refuses what is broken.
refuses() {
  if "$@" >"$output" 2>&1; then fail "taken, though it is broken: $*"; fi
}

json() {
  local reports=("$work/all"/*.report.json) broken
  say "JSON: ${#reports[@]} reports against docs/report.schema.json"
  expect 0 .tools/venv/bin/check-jsonschema --check-metaschema docs/report.schema.json
  for broken in '.more = 1' 'del(.jobs)' '.outcome = "green"' '.jobs[0].timeline[0].at = "now"' '.payload.sha256 = "x"'; do
    "$python" - "$work/all/passed.report.json" "$broken" >"$work/broken.json" <<'PYTHON'
import json, re, sys
report = json.load(open(sys.argv[1]))
change = sys.argv[2]
if change.startswith("del"):
    del report[change[5:-1]]
else:
    path, value = change.split(" = ")
    *steps, last = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", path)]
    place = report
    for step in steps:
        place = place[step]
    place[last] = json.loads(value)
print(json.dumps(report))
PYTHON
    refuses .tools/venv/bin/check-jsonschema --schemafile docs/report.schema.json "$work/broken.json"
  done
  expect 0 .tools/venv/bin/check-jsonschema --schemafile docs/report.schema.json "${reports[@]}"
}

# The hashes of payload and its size are those of what the report holds, by tools that anyone has.
payloads() {
  local report sum
  say 'JSON: the payload has the hash that stands beside it'
  for report in "$work/all"/run-*.report.json; do
    "$python" -c 'import json, sys; sys.stdout.buffer.write(json.load(open(sys.argv[1]))["payload"]["body"].encode())' \
      "$report" >"$work/body"
    read -r sum _ < <(sha256sum "$work/body")
    "$python" -c 'import json, sys
payload = json.load(open(sys.argv[1]))["payload"]
sys.exit([payload["sha256"], str(payload["bytes"])] != sys.argv[2:])' "$report" "$sum" "$(stat --format=%s "$work/body")" ||
      fail "another hash or size in $report"
  done
}

attestations() {
  local predicates=("$work/all"/*.attestation.json)
  say "attestations: ${#predicates[@]} predicates"
  cat >"$work/predicate.py" <<'PYTHON'
import json, re, sys
# in-toto/attestation: spec/predicates/test-result.md, spec/v1/resource_descriptor.md
for path in sys.argv[1:]:
    predicate = json.load(open(path))
    assert predicate["result"] in ("PASSED", "WARNED", "FAILED"), path
    for descriptor in predicate["configuration"]:
        assert {"uri", "digest"} & descriptor.keys(), path
        assert re.fullmatch("[0-9a-f]{64}", descriptor.get("digest", {"sha256": "0" * 64})["sha256"]), path
    lists = {name: predicate.pop(name) for name in ("passedTests", "warnedTests", "failedTests")}
    assert all(isinstance(name, str) for names in lists.values() for name in names), path
    assert predicate["result"] != "PASSED" or not lists["failedTests"] + lists["warnedTests"], path
    assert predicate.keys() <= {"result", "configuration", "url"}, path
PYTHON
  echo '{"result": "GREEN", "configuration": []}' >"$work/broken.json"
  refuses "$python" "$work/predicate.py" "$work/broken.json"
  expect 0 "$python" "$work/predicate.py" "${predicates[@]}"
}

junit() {
  local reports=("$work/all"/*.junit.xml)
  say "JUnit: ${#reports[@]} reports by junitparser"
  cat >"$work/junit.py" <<'PYTHON'
import sys
from junitparser import Error, Failure, JUnitXml, Skipped
for path in sys.argv[1:]:
    page = JUnitXml.fromfile(path)
    told = page.tests, page.failures, page.errors
    page.update_statistics()
    assert told == (page.tests, page.failures, page.errors), (path, told)
    for suite in page:
        names = [(case.classname, case.name) for case in suite]
        assert names and len(names) == len(set(names)), (path, names)
        for case in suite:
            assert all(isinstance(result, (Error, Failure, Skipped)) and result.message for result in case.result), path
PYTHON
  sed 's/failures="1"/failures="0"/' "$work/all/rejected-rows.junit.xml" >"$work/broken.xml"
  refuses "$python" "$work/junit.py" "$work/broken.xml"
  expect 0 "$python" "$work/junit.py" "${reports[@]}"
}

# A page has no element but these, each of them is closed, and nothing in it leads anywhere.
elements_of() {
  cat >"$work/elements.py" <<'PYTHON'
import sys
from html.parser import HTMLParser
allowed = set(sys.argv[1].split())
class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.path, self.open = path, []
        self.feed(open(path).read())
        self.close()
        assert not self.open, (path, self.open)
    def handle_starttag(self, tag, attributes):
        # The one address of ours: where a bug is told of.
        is_ours = (tag, attributes) == ("a", [("href", "https://github.com/acme/epm-gate/issues")])
        assert tag in allowed or is_ours, (self.path, tag, attributes)
        assert is_ours or not {"href", "src", "style", "srcset", "action"} & {name for name, _ in attributes}, (self.path, attributes)
        assert not any(name.startswith("on") for name, _ in attributes), (self.path, attributes)
        if tag not in ("br", "meta", "line", "rect", "hr"):
            self.open.append(tag)
        elif tag == "rect" and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (self.path, tag)
for path in sys.argv[2:]:
    Page(path)
PYTHON
}

markdown() {
  local page pages=("$work/all"/*.summary.md "$work/all"/*.github.md)
  local ours='p h3 h4 strong code pre table thead tbody tr th td blockquote details summary br'
  say "markdown: ${#pages[@]} summaries by cmark-gfm"
  echo 'a <b>text</b> of others' | cmark-gfm --unsafe --extension table >"$work/broken.html"
  refuses "$python" "$work/elements.py" "$ours" "$work/broken.html"
  for page in "${pages[@]}"; do
    cmark-gfm --unsafe --extension table --extension autolink --extension strikethrough "$page" >"$page.html" ||
      fail "cmark-gfm refuses $page"
    # An address in a code span is none.
    expect 0 "$python" "$work/elements.py" "$ours" "$page.html"
  done
}

html() {
  local page pages=("$work/all"/*.page.html)
  local ours='html head meta title style body h1 h2 h3 p strong code pre br div table tr th td svg desc line text rect circle'
  say "HTML: ${#pages[@]} pages by a parser"
  printf '<html><body><p><a href="x">y</a></p></body></html>' >"$work/broken.html"
  refuses "$python" "$work/elements.py" "$ours" "$work/broken.html"
  expect 0 "$python" "$work/elements.py" "$ours" "${pages[@]}"
}

browse() {
  timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars \
    --user-data-dir="$work/chromium" "$@" 2>"$work/chromium.log"
}

# A page is no wider than its window: what is, scrolls in a place of its own. The window is a frame, since Chromium makes
# none of its own narrower than 500 points.
fits() {
  local dom
  # A copy that says how wide it is; the page itself has no script.
  sed 's|</body>|<script>parent.postMessage(document.documentElement.scrollWidth + " of " + innerWidth, "*")</script></body>|' \
    "$1" >"$work/measured.html"
  printf '<script>onmessage = event => { document.title = event.data }</script>
    <iframe width="%s" height="900" frameborder="0" src="measured.html"></iframe>' "$2" >"$work/frame.html"
  dom="$(browse --virtual-time-budget=2000 --dump-dom "file://$work/frame.html")"
  "$python" -c '
import re, sys
wide, window = re.search(r"<title>(\d+) of (\d+)</title>", sys.argv[1]).groups()
sys.exit(3 if window != sys.argv[2] else int(int(wide) > int(window)))' "$dom" "$2"
}

browser() {
  local page name width shot
  local pages=("$work/all"/*.page.html)
  say "HTML: ${#pages[@]} pages in Chromium, none wider than a window of 390 points"
  printf '<html><body><p style="width: 600px">x</p></body></html>' >"$work/wide.html"
  if fits "$work/wide.html" 390; then fail 'a page that is too wide fits'; fi
  for page in "${pages[@]}"; do
    fits "$page" 390 || fail "$page is wider than 390 points"
  done
  for name in rejected-rows retried pipeline hostile; do
    for width in 1200 390; do
      for scheme in 0 1; do
        shot="$work/shots/$name-$width-$scheme.png"
        browse --window-size="$width,1000" --blink-settings=preferredColorScheme="$scheme" --screenshot="$shot" \
          "file://$work/all/$name.page.html" >/dev/null || fail "no picture of $name"
        [ -s "$shot" ] || fail "no picture of $name: $(cat "$work/chromium.log")"
      done
      if cmp --quiet "$work/shots/$name-$width-"[01].png; then fail "$name looks alike in light and in dark"; fi
    done
    say "HTML: $name at 1200 and 390 points, light and dark"
  done
}

samples
runs
json
payloads
attestations
junit
elements_of
markdown
html
browser
say 'the reports hold'
