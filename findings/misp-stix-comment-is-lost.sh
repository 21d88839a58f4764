#!/usr/bin/env bash
# misp-stix 2026.10.12 loses the comments of attributes on the way to STIX and
# back.
#
# Guess: an event that goes to STIX 2.1 and back by the converter's own pair
# of parsers keeps its comments.
#
# Seen: value, type and to_ids come back, and every comment is empty.
#
# For a responder: the note which client an address is, and why it is there,
# is gone after one exchange.
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
event.add_attribute("ip-src", "192.0.2.7", to_ids=False, comment="client")
event.add_attribute("domain", "www.example.com", to_ids=True, comment="contacted")
parser = MISPtoSTIX21Parser()
parser.parse_misp_event(json.loads(event.to_json()))
back = InternalSTIX2toMISPParser()
back.load_stix_bundle(parser.bundle)
back.parse_stix_bundle()
comments = {item.value: getattr(item, "comment", "") for item in back.misp_event.attributes}
print(comments)
assert comments == {"192.0.2.7": "", "www.example.com": ""}
PYTHON
