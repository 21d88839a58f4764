#!/usr/bin/env bash
# pySigma-backend-sqlite 2.0.0 widens an IPv6 network that ends inside a
# group.
#
# Guess: the query for 2001:db8::/33 matches the lower half of 2001:db8::/32
# and nothing of the upper.
#
# Seen: the first of its patterns is '2001:db8:%', which is the whole of the
# /32, so the other half matches too.
#
# For a responder: hits are shown for addresses that the rule does not name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pysigma==1.5.1 pysigma-backend-sqlite==2.0.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import sqlite3

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

RULE = """
title: list
status: test
logsource: {category: proxy}
detection:
  listed:
    dst_ip|cidr: '2001:db8::/33'
  condition: listed
"""

query = sqliteBackend().convert(SigmaCollection.from_yaml(RULE))[0]
print(query[:120])
database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE logs (dst_ip TEXT)")
database.executemany("INSERT INTO logs VALUES (?)", [("2001:db8::9",), ("2001:db8:8000::9",)])
hits = [row[0] for row in database.execute(query.replace("<TABLE_NAME>", "logs"))]
print(hits)
assert hits == ["2001:db8::9", "2001:db8:8000::9"]
PYTHON
