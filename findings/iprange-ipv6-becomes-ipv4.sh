#!/usr/bin/env bash
# iprange 1.0.4 (of FireHOL) makes an IPv4 address of an IPv6 line.
#
# Guess: a merger of block lists for IPv4 refuses a line with an IPv6 address
# or leaves it out.
#
# Seen: of 2001:db8::1 it takes "2001", warns that text was ignored, puts the
# address 0.0.7.209 on the list and ends with status 0.
#
# For a responder: a list of both families blocks addresses that nobody named.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q iprange=1.0.4+ds-2 >/dev/null
for package in *.deb; do dpkg -x "$package" root; done
printf '192.0.2.7\n2001:db8::1\n' >list
root/usr/bin/iprange list >merged 2>warnings
cat merged warnings
[ "$(cat merged)" = $'0.0.7.209\n192.0.2.7' ]
grep -q 'Ignoring text' warnings
