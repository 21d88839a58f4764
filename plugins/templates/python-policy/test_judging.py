"""Native unit tests: `PYTHONPATH=bindings python3 -m unittest`."""

import unittest
from types import SimpleNamespace as Facts

from judging import Session
from wit_world.exports.judging import Scope, Screening_Skip, Verdict


def report(*engines):
    """A report with these engines' names, categories and results."""
    count = lambda opinion: sum(said == opinion for _, said, _ in engines)
    return Facts(
        subject=Facts(value="example.com"),
        scope=Scope.EXACT,
        stats=Facts(malicious=count("malicious"), suspicious=count("suspicious")),
        engines="".join("\t".join(engine) + "\n" for engine in engines),
    )


class TheRule(unittest.TestCase):
    def test_two_engines_are_enough(self):
        ours = Session.open("{}")
        one, two = ("A", "malicious", "phishing"), ("B", "suspicious", "")
        clean = ("C", "harmless", "clean")
        self.assertEqual(ours.judge(None, report(one, clean), 0).verdict, Verdict.GOOD)
        bad = ours.judge(None, report(one, two, clean), 0)
        self.assertEqual((bad.verdict, bad.reason), (Verdict.BAD, "2 engines: A (phishing), B"))

    def test_own_domains_are_skipped(self):
        ours = Session.open('{"own_domains": ["example.com"]}')
        for host, skips in {
            "example.com": True,
            "www.example.com": True,
            "notexample.com": False,
        }.items():
            seen = Facts(indicator=Facts(host=host))
            self.assertEqual(isinstance(ours.screen(seen), Screening_Skip), skips, host)


if __name__ == "__main__":
    unittest.main()
