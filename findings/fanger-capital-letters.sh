#!/usr/bin/env bash
# fanger 0.3.1 leaves a host name in capital letters live.
#
# Guess: host names have no case, so WWW.EXAMPLE.NET, as DNS and mail logs may
# write it, is defanged like www.example.com.
#
# Seen: names in capital or mixed case stay as they are; of a URL only the
# scheme is changed.
#
# For a responder: a report that was defanged has live links in it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts fanger@0.3.1
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import { defang } from "fanger";

for (const [text, expected] of [
  ["www.example.com", "www.example[.]com"],
  ["WWW.EXAMPLE.NET", "WWW.EXAMPLE.NET"],
  ["Www.Example.Org", "Www.Example.Org"],
  ["http://WWW.EXAMPLE.NET/a", "hxxp://WWW.EXAMPLE.NET/a"],
]) {
  console.log(text, defang(text));
  assert.equal(defang(text), expected);
}
JAVASCRIPT
node check.mjs
