#!/usr/bin/env bash
# pycef 1.11 takes an escaped bar in a CEF header for a separator.
#
# Guess: ArcSight's CEF guide has a bar inside a header field written as \|,
# so the name of an event may hold one.
#
# Seen: the name is empty, the severity is gone, and the rest of the header
# becomes part of the first extension key.
#
# For a responder: the first field of the extension, often the client address,
# is under a key that nobody looks for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycef==1.11
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import pycef

line = r"CEF:0|Vendor|Product|1.0|100|denied \| web|5|src=192.0.2.7 dhost=www.example.com"
event = pycef.parse(line)
print(event)
assert event["Name"] == "" and "Severity" not in event
assert "src" not in event and event["web|5|src"] == "192.0.2.7"
assert event["dhost"] == "www.example.com"
PYTHON
