// The log of our own gateway. Blanks separate the fields:
// `2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/`.

const LINE_FEED = 10;
const BLANKS = [32, 9, 13];
const NO_TIME = -(2 ** 63);
const NO_SPAN = { start: 0, len: 0 };

// An open input.
class Session {
  // To refuse an input, throw the reason as a string.
  static open(input, settings) {
    return new Session();
  }

  reading() {
    return 'independent-lines';
  }

  parse(chunk) {
    const [observations, ignored, rejected] = [[], new Map(), new Map()];
    lines(chunk).forEach((line, number) => {
      const fields = fieldsOf(chunk, line);
      if (isOurs(chunk, fields)) {
        observations.push(observation(chunk, number, fields));
      } else if (fields.length) {
        count(rejected, 'not time, client, verdict and URL', number);
      } else {
        count(ignored, 'blank', number);
      }
    });
    return {
      text: new Uint8Array(),
      observations,
      records: observations.length,
      ignored: [...ignored.values()],
      rejected: [...rejected.values()],
    };
  }

  finish() {
    return { text: new Uint8Array(), observations: [], records: 0, ignored: [], rejected: [] };
  }
}

// The observation of a line. Values are spans of the chunk.
function observation(chunk, line, [time, client, verdict, url]) {
  const ms = Date.parse(text(chunk, time));
  return {
    line,
    kind: 'url',
    action: text(chunk, verdict) === 'allow' ? 'allowed' : 'blocked',
    value: url,
    client,
    user: NO_SPAN,
    timeUs: Number.isNaN(ms) ? NO_TIME : ms * 1000,
  };
}

function isOurs(chunk, fields) {
  return fields.length === 4 && ['allow', 'deny'].includes(text(chunk, fields[2]));
}

// The lines of a chunk as spans without the line feed.
function lines(chunk) {
  const spans = [];
  for (let start = 0; start < chunk.length; ) {
    const feed = chunk.indexOf(LINE_FEED, start);
    const end = feed < 0 ? chunk.length : feed;
    spans.push({ start, len: end - start });
    start = end + 1;
  }
  return spans;
}

// The fields of a line. Stops after the fifth.
function fieldsOf(chunk, line) {
  const fields = [];
  const end = line.start + line.len;
  let start = line.start;
  for (let at = start; at <= end && fields.length < 5; at += 1) {
    if (at === end || BLANKS.includes(chunk[at])) {
      if (at > start) fields.push({ start, len: at - start });
      start = at + 1;
    }
  }
  return fields;
}

// The ASCII text of a span, or an empty string if it is longer than any of ours.
function text(chunk, { start, len }) {
  return len > 64 ? '' : String.fromCharCode(...chunk.subarray(start, start + len));
}

function count(tallies, reason, line) {
  if (!tallies.has(reason)) tallies.set(reason, { reason, count: 0, samples: [] });
  const tally = tallies.get(reason);
  tally.count += 1;
  tally.samples.push(line);
}

// Implements the interface `parsing` of the contract in `wit/`.
export const parsing = {
  describe: () => ({
    name: 'our-plugin',
    version: '1.0.0',
    licence: 'MIT',
    summary: 'The log of our own gateway',
    // A line that `detect` and `parse` accept.
    formats: [
      {
        name: 'our-plugin',
        title: "Our gateway's access log",
        example: '2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/',
      },
    ],
    settingsSchema: '',
  }),

  // 95 of 100 if nearly all lines have our format. The last line may be truncated.
  detect({ head }) {
    const all = lines(head);
    const whole = head.includes(LINE_FEED) && head.at(-1) !== LINE_FEED ? all.slice(0, -1) : all;
    const written = whole.map((line) => fieldsOf(head, line)).filter((fields) => fields.length);
    const ours = written.filter((fields) => isOurs(head, fields));
    return written.length && ours.length * 10 >= written.length * 9 ? 95 : 0;
  },

  Session,
};
