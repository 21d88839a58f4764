#!/usr/bin/env bash
# ioc-extractor 8.2.0 gives another name for a host with an underscore.
#
# Guess: the name a_b.example.com is found whole or not at all.
#
# Seen: the name b.example.com is given, and the URL is not found;
# _dmarc.example.com becomes dmarc.example.com.
#
# For a responder: a name is looked up, and perhaps blocked, that nobody
# contacted.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts ioc-extractor@8.2.0
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import { extractIOC } from "ioc-extractor";

const found = extractIOC("http://a_b.example.com/ _dmarc.example.com");
console.log(found.domains, found.urls);
assert.deepEqual([...found.domains].sort(), ["b.example.com", "dmarc.example.com"]);
assert.equal(found.urls.length, 0);
JAVASCRIPT
node check.mjs
