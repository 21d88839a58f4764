#!/usr/bin/env bash
# syslog-rfc5424-parser 0.3.2 keeps only the last of the parameters of one
# name.
#
# Guess: RFC 5424 section 6.3.3 lets a parameter name occur several times in
# one element (its own example is "ip"), so all values are there.
#
# Seen: only the last value is there, and nothing tells that there was
# another.
#
# For a responder: of a host with several addresses, all but one are lost.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check syslog-rfc5424-parser==0.3.2
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from syslog_rfc5424_parser import SyslogMessage

line = '<34>1 2023-11-14T22:13:20Z host app - - [origin ip="192.0.2.1" ip="192.0.2.2"] text'
data = SyslogMessage.parse(line).as_dict()["sd"]
print(data)
assert data == {"origin": {"ip": "192.0.2.2"}}
PYTHON
