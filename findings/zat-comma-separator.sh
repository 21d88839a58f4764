#!/usr/bin/env bash
# zat 0.4.9 gives empty rows for a Zeek log whose separator is not a tab.
#
# Guess: the line "#separator \x2c" that Zeek writes for LogAscii::separator =
# "," is there to be followed.
#
# Seen: each row is an empty mapping, and no error is raised.
#
# For a responder: the log is counted as read and holds nothing.
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


text = HEADER.replace("\\x09", "\\x2c").replace("\t", ",")
text += "1700000000.1,192.0.2.7,www.example.com,0.5,T\n"
result = rows(text)
print(result)
assert result == [{}]
PYTHON
