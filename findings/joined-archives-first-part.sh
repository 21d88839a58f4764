#!/usr/bin/env bash
# bz2 1.0.1, bzip2 0.1.1, compressjs 1.0.3 and lz4js 0.2.0 read only the first
# part of a joined file.
#
# Guess: bzip2 and LZ4 files may be joined, and every reader goes on with the
# next part, as bunzip2 and lz4 do. Logs that a program packed in parallel
# (pbzip2) or appended at each rotation are such files.
#
# Seen: the four packages of npm return the first part. There is no error and
# no count of bytes that are left.
#
# For a responder: the rest of a packed log, usually most of it, is not
# searched.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts \
    bz2@1.0.1 bzip2@0.1.1 compressjs@1.0.3 lz4js@0.2.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check lz4==4.4.5
venv/bin/python - <<'PYTHON'
import bz2

import lz4.frame

for name, pack, unpack in ("log.bz2", bz2.compress, bz2.decompress), ("log.lz4", lz4.frame.compress, None):
    joined = pack(b"first 192.0.2.7\n") + pack(b"second 198.51.100.9\n")
    open(name, "wb").write(joined)
    if unpack:
        assert unpack(joined).count(b"\n") == 2
PYTHON
cat >check.cjs <<'JAVASCRIPT'
const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const bzip2 = require("bzip2");

const readers = {
  bz2: () => require("bz2").decompress(readFileSync("log.bz2")),
  bzip2: () => bzip2.simple(bzip2.array(readFileSync("log.bz2"))),
  compressjs: () => require("compressjs").Bzip2.decompressFile(readFileSync("log.bz2")),
  lz4js: () => require("lz4js").decompress(readFileSync("log.lz4")),
};
for (const [name, read] of Object.entries(readers)) {
  const text = Buffer.from(read()).toString();
  console.log(name, JSON.stringify(text));
  assert.equal(text, "first 192.0.2.7\n");
}
JAVASCRIPT
node check.cjs
