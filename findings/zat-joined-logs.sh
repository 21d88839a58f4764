#!/usr/bin/env bash
# zat 0.4.9 ends at the first closing line of a Zeek log and says nothing.
#
# Guess: rotated Zeek logs that were joined (zcat dns.*.log.gz > dns.log) are
# read to the end, as zeek-cut does.
#
# Seen: the rows after the first #close are not given, without a warning.
#
# For a responder: a day of joined hourly logs is read as its first hour.
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


ONE = HEADER + "1700000000.1\t192.0.2.7\twww.example.com\t0.5\tT\n#close\t2023-11-14-23-00-00\n"
TWO = HEADER + "1700003600.1\t192.0.2.8\twww.example.net\t0.5\tT\n#close\t2023-11-15-00-00-00\n"
queries = [row["query"] for row in rows(ONE + TWO)]
print(queries)
assert queries == ["www.example.com"]
PYTHON
