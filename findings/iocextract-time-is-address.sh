#!/usr/bin/env bash
# iocextract 1.16.1 takes the time of a syslog line for an IPv6 address.
#
# Guess: an extractor of addresses knows 22:13:20 from an address, as it does
# in the ISO form.
#
# Seen: extract_ips gives "22:13:20" for a syslog line and nothing for the
# same time in ISO 8601; a MAC address is an address too.
#
# For a responder: a list of addresses made from syslog holds a false entry
# for each second.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check iocextract==1.16.1 requests==2.32.3 setuptools==75.6.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import iocextract

syslog = list(iocextract.extract_ips("Nov 14 22:13:20 fw kernel: accepted"))
iso = list(iocextract.extract_ips("2023-11-14T22:13:20Z fw kernel: accepted"))
mac = list(iocextract.extract_ips("00:00:5e:00:53:01"))
print(syslog, iso, mac)
assert syslog == ["22:13:20"] and iso == [] and mac == ["00:00:5e:00:53:01"]
PYTHON
