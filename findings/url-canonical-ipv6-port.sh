#!/usr/bin/env bash
# ural 1.6.2 and surt 0.3.1 make the port of an IPv6 host part of the address.
#
# Guess: the canonical form of http://[2001:db8::9]:8080/x keeps the brackets,
# or it leaves out the port.
#
# Seen: canonicalize_url of ural and surt remove the brackets. What is left is
# also the form of http://[2001:db8::9:8080]/x, which is another host.
#
# For a responder: the canonical form names a host that was never contacted,
# and two hosts count as one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ural==1.6.2 surt==0.3.1
"$work/venv/bin/python" - <<'PYTHON'
import surt
import ural

with_port, long_address = "http://[2001:db8::9]:8080/x", "http://[2001:db8::9:8080]/x"
for canonical in ural.canonicalize_url, surt.surt:
    print(canonical.__name__, canonical(with_port), canonical(long_address))
    assert canonical(with_port) == canonical(long_address)
assert ural.canonicalize_url(with_port) == "http://2001:db8::9:8080/x"
assert surt.surt(with_port) == "2001:db8::9:8080)/x"
PYTHON
