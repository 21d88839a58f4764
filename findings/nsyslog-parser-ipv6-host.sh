#!/usr/bin/env bash
# nsyslog-parser 0.10.1 does not take an IPv6 address as the host of a header.
#
# Guess: a device without a name is written by its address, of either family
# (RFC 5424 section 6.2.4).
#
# Seen: the host is empty, and address, program and process id stay in the
# message.
#
# For a responder: each IPv6 device is the same nameless one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts nsyslog-parser@0.10.1
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import parse from "nsyslog-parser";

assert.equal(parse("<134>1 2023-11-14T22:13:20Z 192.0.2.1 app - - - text").host, "192.0.2.1");
const event = parse("<134>1 2023-11-14T22:13:20Z 2001:db8::1 app - - - text");
console.log(event);
assert.equal(event.host, "");
assert.ok(event.message.startsWith("2001:db8::1 app"));
JAVASCRIPT
node check.mjs
