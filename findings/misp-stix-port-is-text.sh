#!/usr/bin/env bash
# misp-stix 2026.10.12 writes the port of hostname|port as text into a STIX
# pattern.
#
# Guess: network-traffic:dst_port is an integer in STIX 2.1, so the pattern
# compares it with 443.
#
# Seen: the pattern compares it with '443', a string, which no observed port
# equals.
#
# For a responder: the indicator is valid and never matches.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check misp-stix==2026.10.12 pymisp==2.5.34.4
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import json, logging

from misp_stix_converter import InternalSTIX2toMISPParser, MISPtoSTIX21Parser
from pymisp import MISPEvent

logging.disable(logging.CRITICAL)
event = MISPEvent()
event.info, event.date = "list", "2023-11-14"
event.uuid = "11111111-1111-4111-8111-111111111111"
event.add_attribute("hostname|port", "www.example.com|443")
parser = MISPtoSTIX21Parser()
parser.parse_misp_event(json.loads(event.to_json()))
patterns = [item["pattern"] for item in parser.bundle.objects if item["type"] == "indicator"]
print(patterns)
assert patterns == [
    "[domain-name:value = 'www.example.com' AND network-traffic:dst_port = '443']"
]
PYTHON
