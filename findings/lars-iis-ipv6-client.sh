#!/usr/bin/env bash
# lars 1.0 leaves out the requests of IPv6 clients.
#
# Guess: c-ip is the address of the client, of either family.
#
# Seen: the row is left out with a Python warning, which a program that
# iterates over the rows does not see.
#
# For a responder: half of a dual-stack network never contacted anything.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check lars==1.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import io, warnings

from lars.iis import IISSource

HEADER = (
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
    "#Date: 2023-11-14 22:13:20\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n"
)

text = HEADER + "2023-11-14 22:13:20 2001:db8::7 GET /a 200\n"
text += "2023-11-14 22:13:21 192.0.2.7 GET /b 200\n"
with warnings.catch_warnings(record=True) as caught, IISSource(io.StringIO(text)) as source:
    warnings.simplefilter("always")
    clients = [str(row.c_ip) for row in source]
print(clients, [str(w.message) for w in caught])
assert clients == ["192.0.2.7"]
PYTHON
