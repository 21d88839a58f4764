#!/usr/bin/env bash
# nsyslog-parser 0.10.1 does not decode the delimiter of LEEF 2.0.
#
# Guess: the header field x09 means a tab: the LEEF 2.0 guide allows the
# delimiter as a character or as its hexadecimal code.
#
# Seen: the three letters "x09" are taken as the delimiter, so that the whole
# extension is one field.
#
# For a responder: every event of a source that writes x09 has one field,
# whose value ends in the name of the next.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts nsyslog-parser@0.10.1
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import parse from "nsyslog-parser";

const event = parse("<13>LEEF:2.0|V|P|1|2|x09|src=192.0.2.7\tdst=198.51.100.9");
console.log(event.fields);
assert.deepEqual(event.fields, { src: "192.0.2.7\tdst" });
JAVASCRIPT
node check.mjs
