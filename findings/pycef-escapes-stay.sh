#!/usr/bin/env bash
# pycef 1.11 leaves the escapes of CEF values in place.
#
# Guess: a reader of CEF gives back the value, so that \= in a URL is an
# equals sign and \\ one backslash.
#
# Seen: the backslashes stay in the value.
#
# For a responder: a URL with a query is another URL for VirusTotal, and its
# look-up finds nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycef==1.11
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import pycef

line = r"CEF:0|V|P|1|2|n|5|request=http://www.example.com/a?b\=c filePath=C:\\temp\\a.exe"
event = pycef.parse(line)
print(event)
assert event["request"] == r"http://www.example.com/a?b\=c"
assert event["filePath"] == r"C:\\temp\\a.exe"
PYTHON
