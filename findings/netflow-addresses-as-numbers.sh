#!/usr/bin/env bash
# netflow 0.12.2 gives addresses as text for NetFlow 9 and as numbers for
# NetFlow 5 and IPFIX.
#
# Guess: one library has one form for the address of a flow, whichever version
# the exporter speaks.
#
# Seen: the same flow has "192.0.2.7" in version 9 and 3221225991 in version 5
# and IPFIX. An IPv6 address is a number in IPFIX, too.
#
# For a responder: a comparison with a list of addresses, tried with version 9,
# finds nothing in the flows of the other exporters and raises no error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check netflow==0.12.2
"$work/venv/bin/python" - <<'PYTHON'
import socket
import struct

import netflow

source, target = socket.inet_aton("192.0.2.7"), socket.inet_aton("198.51.100.9")
SECONDS, NUMBER = 1_700_000_000, 3221225991


def sets(template_set):
    template = struct.pack(">HHHHHH", 256, 2, 8, 4, 12, 4)
    pairs = (template_set, template), (256, source + target)
    return b"".join(struct.pack(">HH", number, len(body) + 4) + body for number, body in pairs)


five = struct.pack(">HHIIIIBBH", 5, 1, 0, SECONDS, 0, 1, 0, 0, 0) + source + target + bytes(4)
five += struct.pack(">HHIIIIHHBBBBHHBBH", 1, 2, 3, 4, 0, 0, 40001, 443, 0, 0, 6, 0, 0, 0, 24, 24, 0)
nine = struct.pack(">HHIIII", 9, 2, 0, SECONDS, 1, 7) + sets(0)
ten = struct.pack(">HHIII", 10, 16 + len(sets(2)), SECONDS, 1, 7) + sets(2)
for packet, field, expected in (
    (five, "IPV4_SRC_ADDR", NUMBER),
    (nine, "IPV4_SRC_ADDR", "192.0.2.7"),
    (ten, "sourceIPv4Address", NUMBER),
):
    (flow,) = netflow.parse_packet(packet, {"netflow": {}, "ipfix": {}}).flows
    print(packet[1], field, repr(flow.data[field]))
    assert flow.data[field] == expected
PYTHON
