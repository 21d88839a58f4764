#!/usr/bin/env bash
# defang 0.5.3 returns a URL with an IPv6 host as it is.
#
# Guess: what the function returns cannot be clicked, whatever the host.
#
# Seen: a URL with a bracketed address comes back unchanged, scheme included,
# and so does one with a host of a single label.
#
# For a responder: a report that was passed through the library still holds
# live links.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check defang==0.5.3
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from defang import defang

assert defang("http://192.0.2.7/a") == "hXXp://192[.]0.2.7/a"
for url in ["http://[2001:db8::9]/a", "http://intranet/a"]:
    print(url, "->", defang(url))
    assert defang(url) == url
PYTHON
