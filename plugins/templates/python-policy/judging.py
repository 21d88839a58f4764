"""The rule of our organisation.

componentize-py finds the file and the classes by their names: the interface
`judging` of the contract in `wit/`, and its resource `session`.
"""

import json

# Modules that Python imports when they are first used. Plugins have no files, so whatever the
# code needs is imported when the component is built: `_strptime` for `datetime.strptime`, and
# `encodings.NAME` for an encoding other than UTF-8, ASCII and Latin-1.
import _strptime  # noqa: F401

from wit_world import exports
from wit_world.exports import judging as contract
from wit_world.exports.judging import (
    Description,
    Judgement,
    Report,
    Scope,
    Screening,
    Screening_Ask,
    Screening_Skip,
    Sightings,
    Verdict,
)

DEFAULTS = {
    # The number of engines that make an indicator bad.
    "min_engines": 2,
    # Our own domains. No request is spent on them.
    "own_domains": [],
}

# The settings of `--policy-config KEY=VALUE`. The host checks them before it reads
# any input.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "min_engines": {"type": "integer", "minimum": 1},
        "own_domains": {"type": "array", "items": {"type": "string"}},
    },
}


class Judging(exports.Judging):
    def describe(self) -> Description:
        return Description(
            name="our-plugin",
            version="1.0.0",
            licence="MIT",
            summary="Bad is what several engines call malicious or suspicious",
            settings_schema=json.dumps(SCHEMA),
        )


class Session(contract.Session):
    """An open policy with its settings."""

    def __init__(self, settings: dict):
        self.settings = DEFAULTS | settings

    @classmethod
    def open(cls, settings: str) -> "Session":
        # To refuse settings, `raise componentize_py_types.Err("reason")`.
        return cls(json.loads(settings))

    def screen(self, sightings: Sightings) -> Screening:
        """Called before a request is spent."""
        host = f".{sightings.indicator.host}"
        if any(host.endswith(f".{domain}") for domain in self.settings["own_domains"]):
            return Screening_Skip("own domain")
        return Screening_Ask(0)

    def judge(self, sightings: Sightings, report: Report, now: int) -> Judgement:
        """Called for each report."""
        count = report.stats.malicious + report.stats.suspicious
        whose = f"the host {report.subject.value}: " if report.scope == Scope.HOST else ""
        if count < self.settings["min_engines"]:
            return judgement(Verdict.GOOD, f"{whose}{count} engines call it bad")
        return judgement(Verdict.BAD, f"{whose}{count} engines: {', '.join(accusers(report))}")


def accusers(report: Report) -> list[str]:
    """The malicious and suspicious engines with their results: `ESET (phishing)`."""
    names = []
    for line in report.engines.split("\n")[:-1]:
        engine, opinion, label = line.split("\t")
        if opinion in ("malicious", "suspicious"):
            names.append(f"{engine} ({label})" if label else engine)
    return names


def judgement(verdict: Verdict, reason: str) -> Judgement:
    return Judgement(verdict=verdict, reason=reason, tags=[], score=None, settles=None)
