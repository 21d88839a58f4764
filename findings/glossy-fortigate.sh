#!/usr/bin/env bash
# glossy 0.1.7 takes the client of a FortiGate line for the name of the
# device.
#
# Guess: a message without a syslog header after its priority, as FortiGate
# sends it, is all message.
#
# Seen: the host is "srcip=192.0.2.7", and the message begins after it.
#
# For a responder: the address of the client is gone from the message that is
# stored.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts glossy@0.1.7
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import glossy from "glossy";

const line = '<189>date=2023-11-14 time=22:13:20 devname="fw" srcip=192.0.2.7 url="/a"';
const event = glossy.Parse.parse(line);
console.log(event);
assert.equal(event.host, "srcip=192.0.2.7");
assert.equal(event.message, 'url="/a"');
JAVASCRIPT
node check.mjs
