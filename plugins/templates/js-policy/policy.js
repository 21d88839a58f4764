// The rule of our organisation.

const DEFAULTS = {
  // The number of engines that make an indicator bad.
  min_engines: 2,
  // Our own domains. No request is spent on them.
  own_domains: [],
};

// The settings of `--policy-config KEY=VALUE`. The host checks them before it reads
// any input.
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    min_engines: { type: 'integer', minimum: 1 },
    own_domains: { type: 'array', items: { type: 'string' } },
  },
};

// An open policy with its settings.
class Session {
  constructor(settings) {
    this.settings = { ...DEFAULTS, ...settings };
  }

  // To refuse settings, throw the reason as a string.
  static open(settings) {
    return new Session(JSON.parse(settings));
  }

  // Called before a request is spent.
  screen(sightings) {
    const host = `.${sightings.indicator.host}`;
    const isOwn = (domain) => host.endsWith(`.${domain}`);
    return this.settings.own_domains.some(isOwn)
      ? { tag: 'skip', val: 'own domain' }
      : { tag: 'ask', val: 0 };
  }

  // Called for each report.
  judge(sightings, report, now) {
    const count = report.stats.malicious + report.stats.suspicious;
    const whose = report.scope === 'host' ? `the host ${report.subject.value}: ` : '';
    return count < this.settings.min_engines
      ? judgement('good', `${whose}${count} engines call it bad`)
      : judgement('bad', `${whose}${count} engines: ${accusers(report).join(', ')}`);
  }
}

// The malicious and suspicious engines with their results: `ESET (phishing)`.
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

// Implements the interface `judging` of the contract in `wit/`.
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
