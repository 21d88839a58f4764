#!/usr/bin/env bash
# python-hosts 1.1.3 removes all names of a line with the one that was named.
#
# Guess: remove_all_matching(name=...) takes that name out and leaves the
# others of its line blocked.
#
# Seen: the whole entry is removed, and with it every other name on the line;
# exists() tells upper from lower case, which names do not.
#
# For a responder: unblocking one name unblocks its neighbours.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-hosts==1.1.3
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import pathlib, tempfile

from python_hosts import Hosts

path = pathlib.Path(tempfile.mkdtemp()) / "hosts"
path.write_text("0.0.0.0 a.example.com b.example.com\n0.0.0.0 www.example.com\n")
hosts = Hosts(path=str(path))
assert not hosts.exists(names=["WWW.EXAMPLE.COM"])
hosts.remove_all_matching(name="a.example.com")
left = [entry.names for entry in hosts.entries]
print(left)
assert left == [["www.example.com"]]
PYTHON
