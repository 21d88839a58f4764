// Skips own and partners' domains. The next policy decides about all others:
// `vthost --policy allow_list.wasm --policy strict`.

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    domains: { type: 'array', items: { type: 'string' } },
  },
};

class Session {
  constructor(domains) {
    this.domains = domains;
  }

  static open(settings) {
    const { domains = [] } = JSON.parse(settings);
    const malformed = domains.find((domain) => domain.startsWith('.') || domain !== domain.toLowerCase());
    if (malformed !== undefined) throw `write \`${malformed}\` in lower case and without a leading dot`;
    return new Session(domains);
  }

  screen({ indicator }) {
    const host = `.${indicator.host}`;
    const listed = this.domains.find((domain) => host.endsWith(`.${domain}`));
    return listed === undefined
      ? { tag: 'ask', val: 0 }
      : { tag: 'skip', val: `on our allow-list (${listed})` };
  }

  judge() {
    return {
      verdict: 'unknown',
      reason: 'not on our allow-list',
      tags: [],
      score: undefined,
      settles: undefined,
    };
  }
}

export const judging = {
  describe: () => ({
    name: 'allow-list',
    version: '1.0.0',
    licence: 'MIT OR Apache-2.0',
    summary: 'Skips own and partners\' domains; the next policy decides about all others',
    settingsSchema: JSON.stringify(SCHEMA),
  }),
  Session,
};
