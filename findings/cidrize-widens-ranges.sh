#!/usr/bin/env bash
# cidrize 3.1.0 widens a range to one network unless it is asked to be strict.
#
# Guess: a range becomes the networks that cover it and nothing else.
#
# Seen: 192.0.2.1-192.0.2.9 becomes 192.0.2.0/28, which is sixteen addresses
# instead of nine; strict=True gives the four networks.
#
# For a responder: a block list made from ranges blocks the neighbours too.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check cidrize==3.1.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from cidrize import cidrize

loose = [str(net) for net in cidrize("192.0.2.1-192.0.2.9")]
strict = [str(net) for net in cidrize("192.0.2.1-192.0.2.9", strict=True)]
print(loose, strict)
assert loose == ["192.0.2.0/28"]
assert strict == ["192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/30", "192.0.2.8/31"]
PYTHON
