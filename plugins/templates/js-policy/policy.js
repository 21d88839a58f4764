// What our organisation calls bad.

const DEFAULTS = {
  // So many engines make it bad.
  min_engines: 2,
  // Domains of our own: no request is spent on them.
  own_domains: [],
};

// What `--policy-config KEY=VALUE` can set. The host checks it before anything is
// read.
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    min_engines: { type: 'integer', minimum: 1 },
    own_domains: { type: 'array', items: { type: 'string' } },
  },
};

// The policy under its settings.
class Session {
  constructor(settings) {
    this.settings = { ...DEFAULTS, ...settings };
  }

  // To refuse settings: throw a string that says why.
  static open(settings) {
    return new Session(JSON.parse(settings));
  }

  // Asked before a request is spent.
  screen(sightings) {
    const host = `.${sightings.indicator.host}`;
    const isOwn = (domain) => host.endsWith(`.${domain}`);
    return this.settings.own_domains.some(isOwn)
      ? { tag: 'skip', val: 'it is our own' }
      : { tag: 'ask', val: 0 };
  }

  // Asked for each report.
  judge(sightings, report, now) {
    const count = report.stats.malicious + report.stats.suspicious;
    const whose = report.scope === 'host' ? `the host ${report.subject.value}: ` : '';
    return count < this.settings.min_engines
      ? judgement('good', `${whose}${count} engines call it bad`)
      : judgement('bad', `${whose}${count} engines: ${accusers(report).join(', ')}`);
  }
}

// The engines that call it bad, with what they call it: `ESET (phishing)`.
function accusers(report) {
  return report.engines
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([, opinion]) => opinion === 'malicious' || opinion === 'suspicious')
    .map(([engine, , label]) => (label ? `${engine} (${label})` : engine));
}

function judgement(verdict, reason) {
  return { verdict, reason, tags: [], score: undefined, settles: undefined };
}

// The interface `judging` of the contract in `wit/`.
export const judging = {
  describe: () => ({
    name: 'our-plugin',
    version: '1.0.0',
    licence: 'MIT',
    summary: 'Bad is what several engines call malicious or suspicious',
    settingsSchema: JSON.stringify(SCHEMA),
  }),
  Session,
};
