#!/usr/bin/env bash
# lars 1.0 raises an error at the header that IIS writes after a restart.
#
# Guess: IIS writes its four header lines again into the same file each time
# the service starts, so a reader of IIS logs takes them anywhere.
#
# Seen: IISVersionError: a second #Version directive; the rest of the file
# cannot be read.
#
# For a responder: the log of a server that was restarted, as after an attack,
# ends at the restart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check lars==1.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import io

from lars.iis import IISSource, IISVersionError

HEADER = (
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
    "#Date: 2023-11-14 22:13:20\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n"
)

text = HEADER + "2023-11-14 22:13:20 192.0.2.7 GET /a 200\n"
text += HEADER + "2023-11-14 22:14:20 192.0.2.8 GET /b 200\n"
seen = []
with IISSource(io.StringIO(text)) as source:
    try:
        for row in source:
            seen.append(str(row.c_ip))
    except IISVersionError as error:
        print(seen, error)
        assert "second #Version" in str(error)
    else:
        raise SystemExit("the second header is read now")
assert seen == ["192.0.2.7"]
PYTHON
