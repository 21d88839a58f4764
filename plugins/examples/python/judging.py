"""Engines that share a feed agree, so a family of engines counts once."""

import json

from wit_world import exports
from wit_world.exports import judging as contract
from wit_world.exports.judging import (
    Description,
    Judgement,
    Report,
    Screening,
    Screening_Ask,
    Sightings,
    Verdict,
)

DEFAULTS = {
    "min_families": 2,
    # Engines by family. An engine that is in none is its own family.
    "families": {"BitDefender": ["BitDefender", "G-Data", "VIPRE"]},
}

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "min_families": {"type": "integer", "minimum": 1},
        "families": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}


class Judging(exports.Judging):
    def describe(self) -> Description:
        return Description(
            name="independent",
            version="1.0.0",
            licence="MIT OR Apache-2.0",
            summary="Bad is what engines of several families call malicious or suspicious",
            settings_schema=json.dumps(SCHEMA),
        )


class Session(contract.Session):
    def __init__(self, settings: dict):
        self.needed = settings["min_families"]
        self.family = {
            engine: family
            for family, engines in settings["families"].items()
            for engine in engines
        }

    @classmethod
    def open(cls, settings: str) -> "Session":
        return cls(DEFAULTS | json.loads(settings))

    def screen(self, sightings: Sightings) -> Screening:
        return Screening_Ask(0)

    def judge(self, sightings: Sightings, report: Report, now: int) -> Judgement:
        families = sorted({self.family.get(engine, engine) for engine in accusers(report)})
        is_bad = len(families) >= self.needed
        return Judgement(
            verdict=Verdict.BAD if is_bad else Verdict.GOOD,
            reason=f"{len(families)} families of engines: {', '.join(families) or 'none'}",
            tags=[] if is_bad or not families else ["weak"],
            score=None,
            settles=None,
        )


def accusers(report: Report) -> list[str]:
    lines = [line.split("\t") for line in report.engines.split("\n")[:-1]]
    return [engine for engine, opinion, _ in lines if opinion in ("malicious", "suspicious")]
