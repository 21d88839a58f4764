#!/usr/bin/env bash
# goaccess 1.7 has a format named SQUID that does not read the native log of
# Squid.
#
# Guess: --log-format=SQUID reads access.log as Squid writes it.
#
# Seen: it wants a syslog header first; the plain file ends in "Format
# Errors", with one it is read.
#
# For a responder: the statistics of a proxy that logs to a file are refused
# at the first line.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q goaccess=1:1.7-1 libncursesw6 libmaxminddb0 >/dev/null
for package in *.deb; do dpkg -x "$package" root; done
line='1700000000.123     45 192.0.2.7 TCP_MISS/200 1234 GET http://www.example.com/a - HIER_DIRECT/198.51.100.9 text/html'
export LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu:$work/root/lib/$(uname -m)-linux-gnu"
echo "$line" >plain.log
echo "Nov 14 22:13:20 proxy squid[1]: $line" >syslog.log
if root/usr/bin/goaccess plain.log --log-format=SQUID -o plain.json 2>errors; then exit 1; fi
cat errors
grep -q 'Format Errors' errors
root/usr/bin/goaccess syslog.log --log-format=SQUID -o syslog.json 2>/dev/null
grep -q '192.0.2.7' syslog.json
