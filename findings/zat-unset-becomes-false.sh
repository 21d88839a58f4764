#!/usr/bin/env bash
# zat 0.4.9 turns an unset boolean into False and an unset interval into zero.
#
# Guess: a field that Zeek marks as unset ("-") is told apart from one that
# has a value.
#
# Seen: AA is False and rtt is zero, as if Zeek had seen an answer that was
# not authoritative and took no time; an unset string stays "-".
#
# For a responder: a query that nobody answered looks like one that was
# answered at once.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps zat==0.4.9 watchdog==6.0.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import pathlib, tempfile

from zat.zeek_log_reader import ZeekLogReader

HEADER = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    "#path\tdns\n#open\t2023-11-14-22-13-20\n"
    "#fields\tts\tid.orig_h\tquery\trtt\tAA\n#types\ttime\taddr\tstring\tinterval\tbool\n"
)


def rows(text):
    path = pathlib.Path(tempfile.mkdtemp()) / "dns.log"
    path.write_text(text)
    return list(ZeekLogReader(str(path)).readrows())


row = rows(HEADER + "1700000000.1\t192.0.2.7\t-\t-\t-\n")[0]
print(row)
assert row["AA"] is False
assert row["rtt"].total_seconds() == 0
assert row["query"] == "-"
PYTHON
