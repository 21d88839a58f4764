#!/usr/bin/env bash
# stix2 3.0.2 takes any text as an IPv4 address, a name or a URL.
#
# Guess: the classes for observables check their value, as those for times,
# patterns and counts do.
#
# Seen: IPv4Address(value="not an address") is serialised without a word; only
# stix2-validator 3.3.2 refuses it.
#
# For a responder: a bundle that the library made is no bundle that a server
# accepts.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check stix2==3.0.2 stix2-validator==3.3.2
"$work/venv/bin/python" -W ignore - <<'PYTHON'
import stix2
from stix2validator import ValidationOptions, validate_string

made = [
    stix2.IPv4Address(value="not an address"),
    stix2.DomainName(value="http://www.example.com/"),
    stix2.URL(value="www.example.com"),
]
for item in made:
    result = validate_string(item.serialize(), ValidationOptions(version="2.1", strict=True, disabled="103"))
    print(item.serialize(), result.is_valid)
    assert not result.is_valid
PYTHON
