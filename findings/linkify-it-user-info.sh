#!/usr/bin/env bash
# linkify-it 6.1.0 ends a URL at the colon of its user information.
#
# Guess: http://user:word@www.example.com/y is one link, for RFC 3986 has user
# information before the host.
#
# Seen: the link is http://user, another host; a host with an underscore gives
# no link at all.
#
# For a responder: a ticket system that makes links of a report leads to the
# wrong host.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts linkify-it@6.1.0
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import * as module from "linkify-it";

const LinkifyIt = module.default?.default ?? module.LinkifyIt ?? module.default;
const links = (text) => (new LinkifyIt().match(text) ?? []).map((link) => link.url);
console.log(links("http://user:word@www.example.com/y"), links("http://a_b.example.com/"));
assert.deepEqual(links("http://user:word@www.example.com/y"), ["http://user"]);
assert.deepEqual(links("http://a_b.example.com/"), []);
JAVASCRIPT
node check.mjs
