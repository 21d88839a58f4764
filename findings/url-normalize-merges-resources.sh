#!/usr/bin/env bash
# url-normalize 3.1.0 makes one of URLs that name different resources.
#
# Guess: what is normalised still names the same resource: RFC 3986 keeps an
# empty query and an empty path segment.
#
# Seen: the doubled slash of a path and an empty query are removed; a number
# as host stays, though browsers read it as an address.
#
# For a responder: the hash of the URL, by which VirusTotal is asked, is that
# of another URL.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check url-normalize==3.1.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from url_normalize import url_normalize

for given, expected in {
    "http://www.example.com//a": "http://www.example.com/a",
    "http://www.example.com/a?": "http://www.example.com/a",
    "http://3221225985/": "http://3221225985/",
}.items():
    print(given, "->", url_normalize(given))
    assert url_normalize(given) == expected
PYTHON
