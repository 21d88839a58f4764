#!/usr/bin/env bash
# glossy 0.1.7 reads no line that a syslog daemon wrote into a file.
#
# Guess: lines of /var/log are read: they have time, host and program, and no
# priority.
#
# Seen: the result holds the original text and nothing else, without an error.
#
# For a responder: a parser for the wire is no parser for files, though both
# are called syslog.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts glossy@0.1.7
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import glossy from "glossy";

const line = "Nov 14 22:13:20 ns dnsmasq[1]: query[A] www.example.com from 192.0.2.7";
const event = glossy.Parse.parse(line);
console.log(event);
assert.deepEqual(event, { originalMessage: line });
assert.equal(glossy.Parse.parse(`<30>${line}`).host, "ns");
JAVASCRIPT
node check.mjs
