#!/usr/bin/env bash
# Runs `vthost extract --parser auto` over a corpus of logs, FORMAT/CASE.log, and
# scores what it finds: tests/corpus.sh CORPUS OUT SCORE [ARGUMENTS OF SCORE]
# where CORPUS holds the logs with CASE.expected.jsonl and SCORE is the program
# that compares (--corpus CORPUS --produced OUT). It says which parser each
# case got.
set -euo pipefail
corpus=$1 out=$2 score=$3
shift 3
mkdir -p "$out"
vthost=${VTHOST:-target/release/vthost}
for log in "$corpus"/*/*.log; do
    produced=$out/${log#"$corpus"/}
    mkdir -p "$(dirname "$produced")"
    # The score compares with what stands in the log.
    "$vthost" extract --written "$log" 2>"${produced%.log}.said" |
        sed 's/"value":"\(\(\\.\|[^"\\]\)*\)"\(.*\)"written":"\(\(\\.\|[^"\\]\)*\)"/"value":"\4"\3"canonical":"\1"/' \
            >"${produced%.log}.jsonl" || true
    printf '%s %s\n' "${log#"$corpus"/}" "$(sed -n '1s/.*\.log: \([^:]*\):.*/\1/p' "${produced%.log}.said")"
done >"$out/parsers.txt"
python3 "$score" --corpus "$corpus" --produced "$out" "$@"
