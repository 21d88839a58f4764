// Native unit tests: `npm test`.

import assert from 'node:assert/strict';
import test from 'node:test';

import { judging } from './policy.js';

// A report with these engines' names, categories and results.
function report(...engines) {
  const count = (opinion) => engines.filter(([, said]) => said === opinion).length;
  return {
    scope: 'exact',
    stats: { malicious: count('malicious'), suspicious: count('suspicious') },
    engines: engines.map((engine) => `${engine.join('\t')}\n`).join(''),
  };
}

test('two engines are enough', () => {
  const ours = judging.Session.open('{}');
  const [one, two] = [['A', 'malicious', 'phishing'], ['B', 'suspicious', '']];
  const clean = ['C', 'harmless', 'clean'];
  assert.equal(ours.judge({}, report(one, clean), 0).verdict, 'good');
  const bad = ours.judge({}, report(one, two, clean), 0);
  assert.deepEqual([bad.verdict, bad.reason], ['bad', '2 engines: A (phishing), B']);
});

test('own domains are skipped', () => {
  const ours = judging.Session.open('{"own_domains": ["example.com"]}');
  const screened = (host) => ours.screen({ indicator: { host } }).tag;
  assert.equal(screened('example.com'), 'skip');
  assert.equal(screened('www.example.com'), 'skip');
  assert.equal(screened('notexample.com'), 'ask');
});
