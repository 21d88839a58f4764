#!/usr/bin/env bash
# timesketch-import-client 20261014 reads the timestamps of Timesketch as
# nanoseconds.
#
# Guess: the importer takes a column whose name has "time" in it when datetime
# is missing. A timestamp of Timesketch's CSV and JSONL is in microseconds, so
# 1700000000000000 becomes 2023-11-14T22:13:20.
#
# Seen: the event is on 20 January 1970, without a warning. Seconds and
# milliseconds, which other exports have, are in the first hour of 1970.
#
# For a responder: the events are in the sketch, and not in the time of the
# incident.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    timesketch-import-client==20261014 pandas==2.2.3 'numpy<3' six python-dateutil
"$work/venv/bin/python" - <<'PYTHON'
import pandas
from timesketch_import_client import importer

sent = []


class Recorder(importer.ImportStreamer):
    """Keeps the rows that would be sent to a server."""

    def _ready(self):
        pass

    def _upload_data_frame(self, data_frame, end_stream, retry_count=0):
        sent.extend(data_frame.to_dict("records"))


MICROSECONDS = 1_700_000_000_000_000
for stamp in MICROSECONDS, MICROSECONDS // 1000, MICROSECONDS // 1_000_000:
    event = {"message": ["contact"], "timestamp": [stamp], "timestamp_desc": ["Event Logged"]}
    Recorder().add_data_frame(pandas.DataFrame(event))
    print(stamp, sent[-1]["datetime"])
days = [row["datetime"][:16] for row in sent]
assert days == ["1970-01-20T16:13", "1970-01-01T00:28", "1970-01-01T00:00"], days
PYTHON
