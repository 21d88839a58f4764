#!/usr/bin/env bash
# urlsnarf (dsniff 2.4b1) writes a CONNECT request as a URL that is none.
#
# Guess: the line of a CONNECT request has the name and port of the tunnel, as
# a web server logs it.
#
# Seen: the target is there twice without a separator, after a scheme:
# http://www.example.org:443www.example.org:443.
#
# For a responder: a reader that takes the URL for what it looks like has a
# port that is no number and a host that never was.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q dsniff=2.4b1+debian-31 libnids1.21 libnet1 libpcap0.8 >/dev/null
for package in *.deb; do dpkg -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dpkt==1.9.8
venv/bin/python - <<'PYTHON'
import socket

import dpkt

ETHERNET = dict(src=b"\x02\0\0\0\0\1", dst=b"\x02\0\0\0\0\2")
writer = dpkt.pcap.Writer(open("web.pcap", "wb"))
clock = 1700000000.0


def packet(source, target, flags, seq, ack, data=b""):
    global clock
    tcp = dpkt.tcp.TCP(sport=source[1], dport=target[1], seq=seq, ack=ack, flags=flags, data=data, win=65535)
    ip = dpkt.ip.IP(src=socket.inet_aton(source[0]), dst=socket.inet_aton(target[0]), p=6, ttl=64, data=tcp)
    ip.len = len(ip)
    writer.writepkt(bytes(dpkt.ethernet.Ethernet(type=0x800, data=ip, **ETHERNET)), clock)
    clock += 0.01


def connection(port, server_port, request):
    client, server = ("192.0.2.7", port), ("198.51.100.9", server_port)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    end = 101 + len(request)
    packet(client, server, dpkt.tcp.TH_SYN, 100, 0)
    packet(server, client, dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK, 500, 101)
    packet(client, server, dpkt.tcp.TH_ACK, 101, 501)
    packet(client, server, dpkt.tcp.TH_PUSH | dpkt.tcp.TH_ACK, 101, 501, request)
    packet(server, client, dpkt.tcp.TH_PUSH | dpkt.tcp.TH_ACK, 501, end, answer)
    packet(client, server, dpkt.tcp.TH_FIN | dpkt.tcp.TH_ACK, end, 501 + len(answer))
    packet(server, client, dpkt.tcp.TH_FIN | dpkt.tcp.TH_ACK, 501 + len(answer), end + 1)
    packet(client, server, dpkt.tcp.TH_ACK, end + 1, 502 + len(answer))


connection(40001, 3128, b"CONNECT www.example.org:443 HTTP/1.1\r\nHost: www.example.org:443\r\n\r\n")
writer.close()
PYTHON

export LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
root/usr/sbin/urlsnarf -n -p web.pcap >out 2>/dev/null
cat out
grep -qF '"CONNECT http://www.example.org:443www.example.org:443 HTTP/1.1"' out
