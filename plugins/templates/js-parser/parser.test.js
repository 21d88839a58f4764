// Native unit tests: `npm test`.

import assert from 'node:assert/strict';
import test from 'node:test';

import { parsing } from './parser.js';

const bytes = (text) => new TextEncoder().encode(text);

test('our lines are parsed', () => {
  const log = '2024-05-01T12:00:00Z 192.0.2.10 deny http://evil.example.net/\nnoise\n';
  const batch = parsing.Session.open({}, '{}').parse(bytes(log));
  const [seen] = batch.observations;
  const words = ({ start, len }) => log.slice(start, start + len);
  assert.equal(batch.records, 1);
  assert.equal(words(seen.value), 'http://evil.example.net/');
  assert.deepEqual([words(seen.client), seen.action], ['192.0.2.10', 'blocked']);
  // 2024-05-01T12:00:00Z.
  assert.equal(seen.timeUs, 1_714_564_800_000_000);
  assert.deepEqual(batch.rejected.map(({ count, samples }) => [count, samples]), [[1, [1]]]);
});

test('our log is detected', () => {
  const { example } = parsing.describe().formats[0];
  assert.equal(parsing.detect({ head: bytes(example) }), 95);
  assert.equal(parsing.detect({ head: bytes('something else') }), 0);
});
