"""Checks exports with the programs and libraries that read them: check.py FORMAT FILE.

Exits with 1 and a list of problems if the file is not as its format wants it.
"""

import csv
import ipaddress
import json
import re
import sys


def check_stix(path):
    # Check 103 refuses the deterministic identifiers that STIX 2.1 itself gives observables.
    from stix2validator import ValidationOptions, print_results, validate_file
    import stix2

    results = validate_file(path, ValidationOptions(strict=True, disabled=["103"], version="2.1"))
    if not results.is_valid:
        print_results(results)
        yield "stix2-validator refuses it"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    bundle = stix2.parse(text, allow_custom=False)
    for item in json.loads(text)["objects"]:
        # The library computes the identifier of an observable from its value.
        if item["type"] in ("url", "domain-name", "ipv4-addr", "ipv6-addr"):
            made = stix2.parse({k: v for k, v in item.items() if k != "id"}, version="2.1")
            if made.id != item["id"]:
                yield f"{item['id']} is not {made.id}"
    ids = [item.id for item in bundle.objects]
    if len(ids) != len(set(ids)):
        yield "an identifier is used twice"


def check_misp(path):
    from pymisp import MISPEvent

    event = MISPEvent()
    event.load_file(path)
    with open(path, encoding="utf-8") as file:
        raw = json.load(file)["Event"]
    if len(event.attributes) != len(raw["Attribute"]):
        yield "PyMISP loads another number of attributes"
    # PyMISP 2.5.34 accepts an empty value, and a domain as `ip-dst`.
    for item in raw["Attribute"]:
        kind, value = item["type"], item["value"]
        if not value or len(value.encode()) > 65535 or value != value.strip():
            yield f"a value that MISP changes: {value[:80]!r}"
        if kind == "ip-dst":
            ipaddress.ip_address(value)
        elif kind == "domain":
            if not re.fullmatch(r"[a-z0-9_.-]+", value) or len(value) > 253:
                yield f"not a domain: {value[:80]!r}"
        elif kind == "url":
            if "://" not in value or re.search(r"\s", value):
                yield f"not a URL: {value[:80]!r}"
        else:
            yield f"another type: {kind}"
        if item.get("first_seen", "") > item.get("last_seen", ""):
            yield f"last seen before first seen: {value[:80]!r}"


def check_ocsf(path):
    from jsonschema import Draft202012Validator
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.3.0"))
    validator = Draft202012Validator(schema.get_class_schema("detection_finding"))
    for number, row in enumerate(rows_of(path), 1):
        for error in validator.iter_errors(row):
            yield f"line {number}: {error.json_path}: {error.message[:200]}"


def check_timesketch(path):
    from datetime import datetime

    for number, row in enumerate(rows_of(path), 1):
        for name in ("message", "datetime", "timestamp_desc"):
            if not isinstance(row.get(name), str) or not row[name]:
                yield f"line {number} has no {name}"
        if datetime.fromisoformat(row["datetime"]).tzinfo is None:
            yield f"line {number} has a time without zone"


def check_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        table = list(csv.reader(file, strict=True))
    for number, row in enumerate(table, 1):
        if len(row) != len(table[0]):
            yield f"row {number} has {len(row)} cells"
        for cell in row:
            if re.match(r"\s*[=+\-@|%]", cell):
                yield f"row {number} has a formula: {cell[:80]!r}"
            if re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", cell):
                yield f"row {number} has a control character: {cell[:80]!r}"
            if len(cell) > 32767:
                yield f"row {number} has a cell of {len(cell)} characters"


def rows_of(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


CHECKS = {
    "affected": check_csv,
    "csv": check_csv,
    "misp": check_misp,
    "ocsf": check_ocsf,
    "stix": check_stix,
    "timesketch": check_timesketch,
}

if __name__ == "__main__":
    format_name, file_path = sys.argv[1:]
    problems = list(CHECKS[format_name](file_path))
    print("\n".join(problems))
    sys.exit(1 if problems else 0)
