#!/usr/bin/env bash
# publicsuffix2 2.20191221 and better-psl 1.0.1 take the last numbers of an IPv4
# address for a domain.
#
# Guess: an address has no registrable domain: the answer is nothing, or the
# address itself, as publicsuffix2 gives it for IPv6.
#
# Seen: the domain of 192.0.2.7 is "7" for publicsuffix2 and "2.7" for
# better-psl.
#
# For a responder: contacts by bare address are grouped with addresses of other
# networks that end alike.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check publicsuffix2==2.20191221
"$work/venv/bin/python" - <<'PYTHON'
from publicsuffix2 import get_sld

for host in "www.example.com", "2001:db8::9", "192.0.2.7", "198.51.100.7":
    print("publicsuffix2", host, get_sld(host))
assert get_sld("www.example.com") == "example.com"
assert get_sld("2001:db8::9") == "2001:db8::9"
assert get_sld("192.0.2.7") == get_sld("198.51.100.7") == "7"
PYTHON
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts better-psl@1.0.1
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import psl from "better-psl";

for (const host of ["www.example.com", "192.0.2.7"]) console.log("better-psl", host, psl.get(host));
assert.equal(psl.get("www.example.com"), "example.com");
assert.equal(psl.get("192.0.2.7"), "2.7");
JAVASCRIPT
node check.mjs
