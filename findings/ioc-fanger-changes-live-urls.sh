#!/usr/bin/env bash
# ioc_fanger 5.1.1 changes URLs that were never defanged.
#
# Guess: fang() restores what was defanged and leaves an ordinary URL alone.
#
# Seen: parts of path and query that look like a substitute are replaced:
# (dot), [.] and (at) become a dot or an at sign.
#
# For a responder: a URL from a log is another one afterwards, and so is its
# hash.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ioc_fanger==5.1.1
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import ioc_fanger

for given, expected in {
    "http://www.example.com/?q=a(dot)b": "http://www.example.com/?q=a.b",
    "http://www.example.com/(at)x": "http://www.example.com/@x",
}.items():
    print(given, "->", ioc_fanger.fang(given))
    assert ioc_fanger.fang(given) == expected
PYTHON
