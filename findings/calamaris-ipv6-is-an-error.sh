#!/usr/bin/env bash
# calamaris 2.99.4.7 counts a request to an IPv6 host as an error.
#
# Guess: a URL with a bracketed address is a destination like any other in the
# report of Squid's log.
#
# Seen: the request, served with status 200, is in the line <error> of the
# destinations.
#
# For a responder: downloads from bare IPv6 addresses cannot be seen in the
# report.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q calamaris=2.99.4.7-1 >/dev/null
for package in *.deb; do dpkg -x "$package" root; done
request='TCP_MISS/200 1234 GET'
printf '%s\n' \
    "1700000000.123     45 192.0.2.7 $request http://www.example.com/a - HIER_DIRECT/198.51.100.9 text/html" \
    "1700000001.123     45 192.0.2.7 $request http://[2001:db8::9]:8080/x - HIER_DIRECT/2001:db8::9 text/html" \
    >access.log
perl root/usr/bin/calamaris -d 10 access.log >report 2>/dev/null
grep -A 4 '2nd-level' report
grep -qE '^\*\.example\.com +1 ' report
grep -qE '^<error> +1 ' report
