#!/usr/bin/env bash
# jco 1.35.0 takes a record whose fields have the names of WIT for one of zeros.
#
# Guess: a record that lacks fields is refused. Results of a component, saved
# by another host as JSON, have the names of WIT (source-port) or of Rust
# (source_port).
#
# Seen: only camel case is read. With other names the component gets 0 and
# false, and no error is raised. The text "false" is true.
#
# For the author of a plugin: a component that works under another host sees
# empty records under this one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts @bytecodealliance/jco@1.35.0
cat >entry.wat <<'WAT'
(component
  (type $record (record (field "source-port" u16) (field "is-bad" bool)))
  (import "entry" (type $entry (eq $record)))
  (core module $code
    (func (export "show") (param i32 i32) (result i32)
      (i32.add (i32.mul (local.get 0) (i32.const 10)) (local.get 1))))
  (core instance $instance (instantiate $code))
  (func (export "show") (param "entry" $entry) (result u32) (canon lift (core func $instance "show"))))
WAT
npx jco parse entry.wat -o entry.wasm >/dev/null
npx jco transpile entry.wasm -o out -q
cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import { show } from "./out/entry.js";

for (const [entry, expected] of [
  [{ sourcePort: 443, isBad: true }, 4431],
  [{ "source-port": 443, "is-bad": true }, 0],
  [{ source_port: 443, is_bad: true }, 0],
  [{ sourcePort: 443, isBad: "false" }, 4431],
]) {
  console.log(entry, show(entry));
  assert.equal(show(entry), expected);
}
JAVASCRIPT
echo '{"type": "module"}' >out/package.json
node check.mjs
