#!/usr/bin/env bash
# haproxy_log_analysis 6.0.0 cannot read the requests that HAProxy logs for
# HTTP/2.
#
# Guess: HAProxy logs an HTTP/2 request with its absolute URI ("GET
# https://host/path HTTP/2.0"), so a reader of its logs knows the form.
#
# Seen: the line is valid, but method and path are the word "invalid"; so they
# are for CONNECT and for any proxy request.
#
# For a responder: a report by path leaves out all of HTTP/2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check haproxy_log_analysis==6.0.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
from haproxy.line import Line

HEAD = "Nov 14 22:13:20 lb haproxy[1]: 192.0.2.7:40000 [14/Nov/2023:22:13:19.002] fe be/srv "
NUMBERS = "537/0/1/2/540 200 100 - - ---- 1/1/1/1/0 0/0 "


def request(text):
    line = Line(f'{HEAD}{NUMBERS}"{text}"')
    assert line.is_valid
    return line.http_request_method, line.http_request_path


assert request("GET /a?b=c HTTP/1.1") == ("GET", "/a?b=c")
result = request("GET https://www.example.com/a?b=c HTTP/2.0")
print(result)
assert result == ("invalid", "invalid")
assert request("CONNECT www.example.com:443 HTTP/1.1") == ("invalid", "invalid")
PYTHON
