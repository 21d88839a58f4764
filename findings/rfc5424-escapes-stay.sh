#!/usr/bin/env bash
# syslog-rfc5424-parser 0.3.2 leaves the escapes of structured data in place.
#
# Guess: RFC 5424 section 6.3.3 writes a quote, a backslash and a closing
# bracket inside a value as \" \\ and \], and a parser takes the backslash
# off.
#
# Seen: the backslashes stay in the value.
#
# For a responder: a path or user name from structured data never equals the
# one in other logs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check syslog-rfc5424-parser==0.3.2
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from syslog_rfc5424_parser import SyslogMessage

line = r'<34>1 2023-11-14T22:13:20Z host app - - [a@32473 user="EXAMPLE\\alice" title="a\]b"] text'
data = SyslogMessage.parse(line).as_dict()["sd"]["a@32473"]
print(data)
assert data == {"user": r"EXAMPLE\\alice", "title": r"a\]b"}
PYTHON
