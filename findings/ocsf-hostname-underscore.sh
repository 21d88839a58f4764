#!/usr/bin/env bash
# ocsf-json-schema 1.2.0 with OCSF 1.3.0, checked by jsonschema 4.26.0: the type `hostname_t` allows
# letters, digits and `-` only. DNS names with `_`, which RFC 2181 section 11 permits and which
# mail and service discovery use, are refused in `hostname`; the same event with the name in
# `name` is accepted.
#
# So an exporter of DNS or proxy logs cannot put every name that was contacted into
# `dst_endpoint.hostname`.
#
# Seen:
#   plain.example.com as hostname: accepted
#   _dmarc.example.com as hostname: refused
#   _dmarc.example.com as name: accepted
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    ocsf-json-schema==1.2.0 jsonschema==4.26.0
cat >"$folder/check.py" <<'PYTHON'
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.3.0"))
validator = Draft202012Validator(schema.get_class_schema("detection_finding"))


def event(endpoint):
    return {
        "category_uid": 2,
        "class_uid": 2004,
        "activity_id": 1,
        "type_uid": 200401,
        "severity_id": 4,
        "time": 1714564800000,
        "metadata": {"version": "1.3.0", "product": {"name": "x", "vendor_name": "x"}},
        "finding_info": {"uid": "1", "title": "a contact"},
        "evidences": [{"dst_endpoint": endpoint}],
    }


for field, name in [
    ("hostname", "plain.example.com"),
    ("hostname", "_dmarc.example.com"),
    ("name", "_dmarc.example.com"),
]:
    is_valid = validator.is_valid(event({field: name}))
    print(f"{name} as {field}: {'accepted' if is_valid else 'refused'}")
PYTHON
"$folder/venv/bin/python" "$folder/check.py" | tee "$folder/seen"
diff "$folder/seen" - <<'EXPECTED'
plain.example.com as hostname: accepted
_dmarc.example.com as hostname: refused
_dmarc.example.com as name: accepted
EXPECTED
