"""Native unit tests: `PYTHONPATH=bindings python3 -m unittest`."""

import unittest
from types import SimpleNamespace as Facts

from parsing import Parsing, Session
from wit_world.exports.parsing import Action


class OurLog(unittest.TestCase):
    def test_our_lines_are_parsed(self):
        log = b"2024-05-01T12:00:00Z 192.0.2.10 deny http://evil.example.net/\nnoise\n"
        batch = Session.open(None, "{}").parse(log)
        [seen] = batch.observations
        words = lambda span: log[span.start : span.start + span.len]
        self.assertEqual(words(seen.value), b"http://evil.example.net/")
        self.assertEqual((words(seen.client), seen.action), (b"192.0.2.10", Action.BLOCKED))
        # 2024-05-01T12:00:00Z.
        self.assertEqual(seen.time_us, 1_714_564_800_000_000)
        self.assertEqual([(tally.count, tally.samples) for tally in batch.rejected], [(1, [1])])

    def test_our_log_is_detected(self):
        example = Parsing().describe().formats[0].example.encode()
        self.assertEqual(Parsing().detect(Facts(head=example)), 95)
        self.assertEqual(Parsing().detect(Facts(head=b"something else")), 0)


if __name__ == "__main__":
    unittest.main()
