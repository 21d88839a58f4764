#!/usr/bin/env bash
# pySigma-backend-splunk 2.1.0 makes a wildcard for any text of the question
# mark of a URL.
#
# Guess: a URL in a rule matches that URL; at worst its question mark matches
# one other character, as Sigma defines.
#
# Seen: in the Splunk query it is an asterisk, so http://www.example.com/a?b=c
# also matches any longer path that ends in b=c; the SQLite backend has the
# one-character wildcard.
#
# For a responder: a list of bad URLs with queries finds good ones.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pysigma==1.5.1 pysigma-backend-splunk==2.1.0 pysigma-backend-sqlite==2.0.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from sigma.backends.splunk import SplunkBackend
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

RULE = """
title: list
status: test
logsource: {category: proxy}
detection:
  listed:
    c-uri: 'http://www.example.com/a?b=c'
  condition: listed
"""

splunk = SplunkBackend().convert(SigmaCollection.from_yaml(RULE))[0]
sqlite = sqliteBackend().convert(SigmaCollection.from_yaml(RULE))[0]
print(splunk, sqlite)
assert 'http://www.example.com/a*b=c' in splunk
assert 'http://www.example.com/a_b=c' in sqlite
PYTHON
