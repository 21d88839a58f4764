#!/usr/bin/env bash
# netflow 0.12.2 reads no IPFIX message that holds a field of variable length.
#
# Guess: a parser of IPFIX reads the elements that RFC 7011 lets an exporter
# send with a length of their own, such as a user name or the host of a request.
#
# Seen: it counts 65535 bytes for such a field and raises an error about
# padding for the whole message, with the other sets in it.
#
# For a responder: exporters that log names (nProbe, YAF, firewalls) give
# nothing at all, and the error points at padding.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check netflow==0.12.2
"$work/venv/bin/python" - <<'PYTHON'
import socket
import struct

import netflow

SOURCE, TARGET, USER, VARIABLE = 8, 12, 371, 65535


def message(user_length, user):
    template = struct.pack(">HHHHHHHH", 256, 3, SOURCE, 4, TARGET, 4, USER, user_length)
    record = socket.inet_aton("192.0.2.7") + socket.inet_aton("198.51.100.9") + user
    sets = b"".join(struct.pack(">HH", number, len(body) + 4) + body for number, body in ((2, template), (256, record)))
    return struct.pack(">HHIII", 10, len(sets) + 16, 1_700_000_000, 1, 7) + sets


(flow,) = netflow.parse_packet(message(5, b"alice"), {"netflow": {}, "ipfix": {}}).flows
print(flow.data)
assert flow.data["userName"] == "alice"
try:
    netflow.parse_packet(message(VARIABLE, b"\x05alice"), {"netflow": {}, "ipfix": {}})
except Exception as error:
    print(repr(error))
    assert type(error).__name__ == "PaddingCalculationError"
else:
    raise SystemExit("the message was read")
PYTHON
