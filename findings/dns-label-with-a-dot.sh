#!/usr/bin/env bash
# dnslib 0.9.26 and dpkt 1.9.8 print a DNS label that holds a dot like two
# labels.
#
# Guess: a dot inside a label is shown as \. (RFC 1035 section 5.1; RFC 4343
# section 2.1), for otherwise two names look the same.
#
# Seen: both print the three labels "a.b", "example", "com" as
# a.b.example.com, while dnslib itself takes the two names for different;
# dnspython prints the escape.
#
# For a responder: a query log made from captures shows a name that was never
# asked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dnslib==0.9.26 dpkt==1.9.8 dnspython==2.7.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import dns.name
import dpkt
from dnslib import DNSLabel, DNSQuestion, DNSRecord

labels = [b"a.b", b"example", b"com"]
odd, plain = DNSLabel(labels), DNSLabel("a.b.example.com")
packet = DNSRecord(q=DNSQuestion(odd)).pack()
by_dpkt = dpkt.dns.DNS(packet).qd[0].name
by_dnspython = dns.name.Name(labels + [b""]).to_text()
print(odd, plain, by_dpkt, by_dnspython)
assert str(odd) == str(plain) == "a.b.example.com." and odd != plain
assert by_dpkt == "a.b.example.com"
assert by_dnspython == r"a\.b.example.com."
PYTHON
