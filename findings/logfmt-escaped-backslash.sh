#!/usr/bin/env bash
# logfmt 0.4 loses the rest of a line after an escaped backslash.
#
# Guess: in a quoted value \\ is a backslash, as writers of logfmt (Go's
# loggers, Grafana's tools) put it; the closing quote ends the value.
#
# Seen: the backslash is dropped, and the quote after the name counts as
# escaped. The value is True, and every key after it is gone. There is no
# error.
#
# For a responder: a line with a Windows user (DOMAIN\name) or path has neither
# the user nor the destination.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check logfmt==0.4
"$work/venv/bin/python" - <<'PYTHON'
import io

import logfmt

lines = 'user="alice" dst=192.0.2.7\n' r'user="EXAMPLE\\alice" dst=192.0.2.7'
plain, windows = logfmt.parse(io.StringIO(lines))
print(plain)
print(windows)
assert plain == {"user": "alice", "dst": "192.0.2.7"}
assert windows == {"user": True}
PYTHON
