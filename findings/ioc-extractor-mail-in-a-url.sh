#!/usr/bin/env bash
# ioc-extractor 8.2.0 makes a mail address of a whole URL.
#
# Guess: the address in a query (?e=user@example.net) is found as that
# address, or not at all.
#
# Seen: the address begins with the slashes of the URL.
#
# For a responder: the victim of a phishing link cannot be found by the mail
# address.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts ioc-extractor@8.2.0
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import { extractIOC } from "ioc-extractor";

const found = extractIOC("http://www.example.com/?e=user@example.net");
console.log(found.emails);
assert.deepEqual([...found.emails], ["//www.example.com/?e=user@example.net"]);
JAVASCRIPT
node check.mjs
