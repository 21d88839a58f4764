#!/usr/bin/env bash
# stix2-matcher 3.0.0 evaluates no pattern with an IPv6 network.
#
# Guess: STIX 2.1 defines ISSUBSET for IPv4 and IPv6, so a pattern for
# 2001:db8::/32 matches the observed address 2001:db8::9.
#
# Seen: the matcher raises "Invalid IPv4 address" as soon as the observation
# holds an IPv6 address. Its validator, stix2-patterns, accepts the pattern.
#
# For a responder: indicators for IPv6 networks never match, also where a
# pattern has an IPv4 network beside it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check stix2-matcher==3.0.0 stix2-patterns==2.1.2
"$work/venv/bin/python" - <<'PYTHON'
from stix2matcher.matcher import MatcherException, match
from stix2patterns.validator import validate

TIME = "2023-11-14T22:13:20.000Z"


def observed(kind, value):
    address = {"type": kind, "id": f"{kind}--1f4e6a4c-6d1c-4f5e-8a8e-3f2b6f1d0c11", "spec_version": "2.1", "value": value}
    data = {
        "type": "observed-data",
        "id": "observed-data--2f4e6a4c-6d1c-4f5e-8a8e-3f2b6f1d0c12",
        "spec_version": "2.1",
        "created": TIME,
        "modified": TIME,
        "first_observed": TIME,
        "last_observed": TIME,
        "number_observed": 1,
        "object_refs": [address["id"]],
    }
    bundle = "bundle--3f4e6a4c-6d1c-4f5e-8a8e-3f2b6f1d0c13"
    return [{"type": "bundle", "id": bundle, "objects": [address, data]}]


four, six = "[ipv4-addr:value ISSUBSET '192.0.2.0/24']", "[ipv6-addr:value ISSUBSET '2001:db8::/32']"
assert validate(six, stix_version="2.1") and match(four, observed("ipv4-addr", "192.0.2.7"), stix_version="2.1")
assert match("[ipv6-addr:value = '2001:db8::9']", observed("ipv6-addr", "2001:db8::9"), stix_version="2.1")
try:
    print(match(six, observed("ipv6-addr", "2001:db8::9"), stix_version="2.1"))
except MatcherException as error:
    print(error)
    assert "Invalid IPv4 address: 2001:db8::9" in str(error)
else:
    raise SystemExit("the pattern was evaluated")
PYTHON
