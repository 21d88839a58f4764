#!/usr/bin/env bash
# urlfinderlib 0.27.1 finds no URL in a key=value line.
#
# Guess: url=http://www.example.com/a is text with a URL, like the same URL
# after a blank.
#
# Seen: the result is empty; with a blank instead of the equals sign the URL
# is found; bars and semicolons hide it too.
#
# For a responder: the logs of FortiGate, CEF and most firewalls hold no URL
# for it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check urlfinderlib==0.27.1
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import urlfinderlib

URL = "http://www.example.com/a"
assert urlfinderlib.find_urls(f"url {URL} x".encode()) == {URL}
for line in [f"url={URL} x", f"x|{URL}|y", f"x;{URL};y"]:
    print(line, urlfinderlib.find_urls(line.encode()))
    assert urlfinderlib.find_urls(line.encode()) == set()
PYTHON
