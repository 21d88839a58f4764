#!/usr/bin/env bash
# Three finders of URLs do not find one with an IPv6 host.
#
# Guess: http://[2001:db8::9]:8080/a is a URL for a library that finds URLs
# and addresses of both families.
#
# Seen: urlextract 1.10.0 and iocsearcher 3.1.0 give nothing at all, ioc-
# finder 9.4.1 the address without its URL.
#
# For a responder: a download from a bare IPv6 address is not in the list.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check urlextract==1.10.0 ioc-finder==9.4.1 iocsearcher==3.1.0
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import ioc_finder
from iocsearcher.searcher import Searcher
from urlextract import URLExtract

line = "GET http://[2001:db8::9]:8080/a HTTP/1.1"
by_urlextract = URLExtract().find_urls(line)
by_ioc_finder = {kind: found for kind, found in ioc_finder.find_iocs(line).items() if found}
by_iocsearcher = [(found.name, found.value) for found in Searcher().search_data(line)]
print(by_urlextract, by_ioc_finder, by_iocsearcher)
assert by_urlextract == []
assert by_ioc_finder == {"ipv6s": ["2001:db8::9"]}
assert by_iocsearcher == []
PYTHON
