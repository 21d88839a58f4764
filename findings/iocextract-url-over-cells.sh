#!/usr/bin/env bash
# iocextract 1.16.1 reads over the end of a quoted CSV cell.
#
# Guess: a quote ends a URL, which cannot hold one (RFC 3986), as it does in
# an HTML attribute.
#
# Seen: the URL of a quoted cell goes on through quote, comma and the next
# cell; in HTML the quote ends it.
#
# For a responder: no URL of a quoted CSV export is one that was requested.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check iocextract==1.16.1 requests==2.32.3 setuptools==75.6.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import iocextract

cell = list(iocextract.extract_urls('"http://www.example.com/a","192.0.2.7"'))
attribute = list(iocextract.extract_urls('<a href="http://www.example.com/a">'))
print(cell, attribute)
assert cell == ['http://www.example.com/a","192.0.2.7']
assert attribute == ["http://www.example.com/a"]
PYTHON
