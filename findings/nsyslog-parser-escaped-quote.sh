#!/usr/bin/env bash
# nsyslog-parser 0.10.1 reads no structured data that holds an escaped quote.
#
# Guess: RFC 5424 escapes a quote in a value as \", so such an element is read
# like any other.
#
# Seen: the whole element stays in the message, and the structured data is
# empty.
#
# For a responder: a user agent or a rule name with a quote hides every other
# parameter of its line.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts nsyslog-parser@0.10.1
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import parse from "nsyslog-parser";

const head = "<134>1 2023-11-14T22:13:20Z host app 1 - ";
assert.equal(parse(`${head}[a@32473 b="cd"] text`).message, "text");
const event = parse(`${head}[a@32473 b="c\\"d"] text`);
console.log(event);
assert.deepEqual(event.structuredData, []);
assert.equal(event.message, '[a@32473 b="c\\"d"] text');
JAVASCRIPT
node check.mjs
