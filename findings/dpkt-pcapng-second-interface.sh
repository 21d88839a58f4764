#!/usr/bin/env bash
# dpkt 1.9.8 reads the times of all interfaces of a pcapng file at the
# resolution of the first.
#
# Guess: pcapng has a resolution and a link type for each interface, and a
# reader applies those of the packet's interface. Files merged from two
# captures have two interfaces.
#
# Seen: a packet of the second interface, in nanoseconds, is in the year 55840;
# the link type that the reader gives is that of the first interface.
#
# For a responder: half of a merged capture has wrong times, and its packets
# are decoded from the wrong layer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dpkt==1.9.8
"$work/venv/bin/python" - <<'PYTHON'
import io
import struct

import dpkt


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def interface(link, resolution):
    option = struct.pack("<HHB3x", 9, 1, resolution) + bytes(4)
    return block(1, struct.pack("<HHI", link, 0, 65535) + option)


def packet(number, time, data):
    head = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data)


SECONDS = 1_700_000_000
ip = bytes(dpkt.ip.IP(src=b"\xc0\0\2\7", dst=b"\xc6\x33\x64\x09", p=17, data=dpkt.udp.UDP(sport=40001, dport=53)))
frame = bytes(dpkt.ethernet.Ethernet(type=0x800, data=ip))
file = io.BytesIO(
    block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    + interface(1, 6)
    + interface(101, 9)
    + packet(0, SECONDS * 10**6, frame)
    + packet(1, SECONDS * 10**9, ip)
)
reader = dpkt.pcapng.Reader(file)
packets = [(time, len(data)) for time, data in reader]
print(reader.datalink(), packets)
assert reader.datalink() == dpkt.pcap.DLT_EN10MB
assert packets == [(SECONDS, len(frame)), (SECONDS * 1000, len(ip))]
PYTHON
