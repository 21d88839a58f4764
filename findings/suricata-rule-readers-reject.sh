#!/usr/bin/env bash
# suricataparser 1.0.0 and idstools 0.6.5 leave out rules with the newer actions
# of Suricata.
#
# Guess: Suricata's guide lists the actions rejectsrc, rejectdst and rejectboth
# beside reject, so a reader of a rule file returns such rules, or raises an
# error.
#
# Seen: both return the other rules of the file and nothing for these.
#
# For a responder: an address that a rule set rejects is not among its
# indicators.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check suricataparser==1.0.0 idstools==0.6.5
cd "$work"
number=0
for action in alert pass drop reject rejectsrc rejectdst rejectboth; do
    number=$((number + 1))
    echo "$action ip any any -> 192.0.2.$number any (msg:\"$action\"; sid:$number; rev:1;)"
done >own.rules
venv/bin/python - <<'PYTHON'
import idstools.rule
import suricataparser

for parse in suricataparser.parse_file, idstools.rule.parse_file:
    found = [rule.action for rule in parse("own.rules")]
    print(parse.__module__, found)
    assert found == ["alert", "pass", "drop", "reject"]
PYTHON
