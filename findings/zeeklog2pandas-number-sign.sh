#!/usr/bin/env bash
# zeeklog2pandas 1.0.2 cuts a line of a Zeek log at a number sign.
#
# Guess: in a Zeek log only a line that begins with # is a directive; in a
# field, such as a URI or a user agent, the sign is text.
#
# Seen: the line ends at the sign. The URI is cut, and the fields after it are
# not a number, as if Zeek had written none.
#
# For a responder: another URI is looked up, and the status is missing.
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
    printf '1700000000.1\t192.0.2.7\twww.example.com\t/a\tcurl/8.0\t200\n'
    printf '1700000001.1\t192.0.2.8\twww.example.com\t/b#/c\tcurl/8.0\t404\n'
    printf '#close\t2023-11-14-22-14-20\n'
} >http.log
venv/bin/python - <<'PYTHON'
import zeeklog2pandas

log = zeeklog2pandas.read_zeek("http.log")
print(log.to_string())
assert list(log["uri"]) == ["/a", "/b"]
assert log["user_agent"][0] == "curl/8.0" and log["status_code"][0] == 200
assert log["user_agent"].isna()[1] and log["status_code"].isna()[1]
PYTHON
