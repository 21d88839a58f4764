#!/usr/bin/env bash
# zeeklog2pandas 1.0.2 joins the lines of a Zeek log between two quotes.
#
# Guess: Zeek's logs have no quoting, so that a field that begins with a quote
# is text up to the next tab.
#
# Seen: the field goes on to the next quote, over tabs and ends of lines. The
# requests between are inside one user agent, and no error is raised.
#
# For a responder: requests of other clients have no row.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check zeeklog2pandas==1.0.2 pandas==2.2.3
cd "$work"
{
    printf '#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n'
    printf '#path\thttp\n#open\t2023-11-14-22-13-20\n'
    printf '#fields\tts\tid.orig_h\thost\turi\tuser_agent\tstatus_code\n'
    printf '#types\ttime\taddr\tstring\tstring\tstring\tcount\n'
    printf '1700000000.1\t192.0.2.7\twww.example.com\t/a\t"curl\t200\n'
    printf '1700000001.1\t192.0.2.8\twww.example.net\t/b\t-\t404\n'
    printf '1700000002.1\t192.0.2.9\twww.example.org\t/c\t5"\t200\n'
    printf '#close\t2023-11-14-22-14-20\n'
} >http.log
venv/bin/python - <<'PYTHON'
import zeeklog2pandas

log = zeeklog2pandas.read_zeek("http.log")
print(log.to_string())
assert list(log["id.orig_h"]) == ["192.0.2.7"]
assert "192.0.2.8" in log["user_agent"][0] and "192.0.2.9" in log["user_agent"][0]
PYTHON
