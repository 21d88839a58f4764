#!/usr/bin/env bash
# iocsearcher 3.1.0 cuts the host of a URL at an underscore.
#
# Guess: a host with an underscore, which DNS and browsers allow, is found
# whole or not at all.
#
# Seen: of http://mail_srv.example.com/x it gives the URL srv.example.com/x
# and the name example.com: hosts that nobody contacted.
#
# For a responder: the verdict of another host is shown for this one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check iocsearcher==3.1.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from iocsearcher.searcher import Searcher

found = sorted((i.name, i.value) for i in Searcher().search_data("http://mail_srv.example.com/x"))
print(found)
assert found == [("fqdn", "example.com"), ("url", "srv.example.com/x")]
PYTHON
