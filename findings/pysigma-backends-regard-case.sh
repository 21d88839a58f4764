#!/usr/bin/env bash
# pySigma-backend-victorialogs 0.2.0 and pySigma-backend-surrealql 0.1.0 write
# queries that regard case.
#
# Guess: Sigma's specification takes values without regard to case unless a
# rule says |cased, so the query for a host name folds case.
#
# Seen: the first writes the same query as for |cased, with LogsQL's exact
# filter, and a regular expression without (?i) for endswith. The second refuses
# |cased as not supported and compares with = and string::ends_with.
#
# For a responder: a rule for a host name misses the queries that a DNS log
# records in capital or mixed case.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/convert.py" <<'PYTHON'
import importlib
import sys

from sigma.collection import SigmaCollection

module, name, exact, ending = sys.argv[1:]
backend = getattr(importlib.import_module(f"sigma.backends.{module}"), name)()


def convert(condition, value):
    rule = (
        "title: contact\nlogsource:\n  category: dns\n"
        f"detection:\n  selection:\n    {condition}: {value}\n  condition: selection\n"
    )
    try:
        (query,) = backend.convert(SigmaCollection.from_yaml(rule))
    except NotImplementedError as error:
        query = str(error)
    print(condition, "->", query)
    return query


plain, cased = convert("query", "www.example.com"), convert("query|cased", "www.example.com")
assert exact in plain
assert cased == plain or "not supported" in cased
assert ending in convert("query|endswith", ".example.com")
PYTHON
try() {
    python3 -m venv "$work/$1"
    "$work/$1/bin/pip" install --quiet --disable-pip-version-check "pysigma-backend-$1==$2" "pysigma==$3"
    "$work/$1/bin/python" "$work/convert.py" "$1" "${@:4}"
}
try victorialogs 0.2.0 1.5.1 VictoriaLogsBackend 'query:="www.example.com"' 'query:~"\\.example\\.com$"'
try surrealql 0.1.0 0.11.23 SurrealQLBackend "query='www.example.com'" "string::ends_with(query,'.example.com')"
