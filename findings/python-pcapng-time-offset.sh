#!/usr/bin/env bash
# python-pcapng 2.1.1 does not add the time offset of an interface.
#
# Guess: the option if_tsoffset is read into the interface, so the time of a
# packet has it added, as the pcapng specification says.
#
# Seen: the option is among those of the interface, and the packet's time lacks
# it: a packet of 2023 is in January 1970.
#
# For a responder: the contacts of such a capture are at the wrong time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-pcapng==2.1.1
"$work/venv/bin/python" - <<'PYTHON'
import io
import struct

import pcapng
from pcapng.blocks import EnhancedPacket, InterfaceDescription


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


OFFSET = 1_700_000_000
offset = struct.pack("<HHq", 14, 8, OFFSET) + bytes(4)
file = io.BytesIO(
    block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    + block(1, struct.pack("<HHI", 1, 0, 65535) + offset)
    + block(6, struct.pack("<IIIII", 0, 0, 5_000_000, 14, 14) + bytes(14))
)
blocks = list(pcapng.FileScanner(file))
(interface,) = [one for one in blocks if isinstance(one, InterfaceDescription)]
(packet,) = [one for one in blocks if isinstance(one, EnhancedPacket)]
print(interface.options["if_tsoffset"], packet.timestamp)
assert interface.options["if_tsoffset"] == OFFSET
assert packet.timestamp == 5
PYTHON
