// Own and partners' domains are not asked. All else is left to the next policy:
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
    const odd = domains.find((domain) => domain.startsWith('.') || domain !== domain.toLowerCase());
    if (odd !== undefined) throw `write \`${odd}\` in lower case and without a dot before it`;
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
    summary: 'Own and partners\' domains are not asked; all else is left to the next policy',
    settingsSchema: JSON.stringify(SCHEMA),
  }),
  Session,
};
