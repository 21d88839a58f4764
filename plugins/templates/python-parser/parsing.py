"""The log of our own gateway. Blanks separate the fields:
`2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/`.

componentize-py finds the file and the classes by their names: the interface
`parsing` of the contract in `wit/`, and its resource `session`.
"""

import re
from datetime import datetime, timedelta, timezone

# Modules that Python imports when they are first used. Plugins have no files, so whatever the
# code needs is imported when the component is built: `_strptime` for `datetime.strptime`, and
# `encodings.NAME` for an encoding other than UTF-8, ASCII and Latin-1.
import _strptime  # noqa: F401

from wit_world import exports
from wit_world.exports import parsing as contract
from wit_world.exports.parsing import (
    Action,
    Batch,
    Description,
    Format,
    IndicatorKind,
    Input,
    Observation,
    Reading,
    Span,
    Tally,
)

LINE = re.compile(rb"\s*(\S+)\s+(\S+)\s+(allow|deny)\s+(\S+)\s*$")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NO_TIME = -(1 << 63)
NO_SPAN = Span(start=0, len=0)


class Parsing(exports.Parsing):
    def describe(self) -> Description:
        return Description(
            name="our-plugin",
            version="1.0.0",
            licence="MIT",
            summary="The log of our own gateway",
            # A line that `detect` and `parse` accept.
            formats=[
                Format(
                    name="our-plugin",
                    title="Our gateway's access log",
                    example="2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/",
                )
            ],
            settings_schema="",
        )

    def detect(self, input: Input) -> int:
        """95 of 100 if nearly all lines have our format."""
        lines = [line for line in input.head.splitlines() if line.strip()]
        if b"\n" in input.head and not input.head.endswith(b"\n"):
            lines = lines[:-1]
        ours = sum(bool(LINE.match(line)) for line in lines)
        return 95 if lines and ours * 10 >= len(lines) * 9 else 0


class Session(contract.Session):
    """An open input."""

    @classmethod
    def open(cls, input: Input, settings: str) -> "Session":
        # To refuse an input, `raise componentize_py_types.Err("reason")`.
        return cls()

    def reading(self) -> Reading:
        return Reading.INDEPENDENT_LINES

    def parse(self, chunk: bytes) -> Batch:
        seen, ignored, rejected = [], {}, {}
        start = 0
        lines = chunk.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for number, line in enumerate(lines):
            if match := LINE.match(line):
                seen.append(observation(number, start, match))
            elif line.strip():
                count(rejected, "not time, client, verdict and URL", number)
            else:
                count(ignored, "blank", number)
            start += len(line) + 1
        return Batch(
            text=b"",
            observations=seen,
            records=len(seen),
            ignored=list(ignored.values()),
            rejected=list(rejected.values()),
        )

    def finish(self) -> Batch:
        return Batch(text=b"", observations=[], records=0, ignored=[], rejected=[])


def observation(number: int, start: int, match: re.Match) -> Observation:
    """The observation of the line at `start`. Values are spans of the chunk."""

    def span(group: int) -> Span:
        first, end = match.span(group)
        return Span(start=start + first, len=end - first)

    return Observation(
        line=number,
        kind=IndicatorKind.URL,
        action=Action.ALLOWED if match[3] == b"allow" else Action.BLOCKED,
        value=span(4),
        client=span(2),
        user=NO_SPAN,
        time_us=microseconds(match[1]),
    )


def microseconds(stamp: bytes) -> int:
    try:
        time = datetime.fromisoformat(stamp.decode())
        return (time - EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError):
        return NO_TIME


def count(tallies: dict[str, Tally], reason: str, number: int) -> None:
    tally = tallies.setdefault(reason, Tally(reason=reason, count=0, samples=[]))
    tally.count += 1
    tally.samples.append(number)
