#!/usr/bin/env bash
# nsyslog-parser 0.10.1 replaces the year of a Cisco time by the current one
# and drops the hour.
#
# Guess: the time "Nov 4 2023 22:13:20", which Cisco ASA and IOS write when
# told to log the year, is read or refused.
#
# Seen: the time is midnight of 4 November of the current year, and the hour
# is part of the message.
#
# For a responder: events of another year are put into this one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts nsyslog-parser@0.10.1
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import parse from "nsyslog-parser";

const event = parse("<134>Nov  4 2023 22:13:20 fw : %ASA-5-304001: text");
console.log(event);
const year = new Date().getFullYear();
assert.equal(new Date(event.ts).toISOString(), `${year}-11-04T00:00:00.000Z`);
assert.ok(event.message.startsWith("22:13:20 fw"));
JAVASCRIPT
node check.mjs
