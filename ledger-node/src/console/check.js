// Checks files in the browser. An evidence bundle: who asked, on whose word, who answers for it, and whether the holder
// signed. A period export: whether it is all that a service did in a period. A state proof: what the ledger held.
// Written from docs/formats.md alone, as conformance/bundle.py and period.py are, and with nothing but WebCrypto. It asks no
// server, reads no clock and touches no page; whoever calls it shows what came of it.
//
//     const { holds, code, steps, shown } = await checkBundle(bytes, trustRootText);
//
// `bytes` is the file (Uint8Array or ArrayBuffer), `trustRootText` the trust root that you believe: read the latter from
// somewhere else than the former. `steps` are the parts of the check in their order, up to the first that does not hold,
// each `{ name, ok, detail, said, values }`: `detail` is an English sentence, what was found or why the step does not hold, and
// `said` with `values` lets the caller say it in another language. `code` is what schemas/problems.toml calls what does not hold,
// else null; `shown` is what the bundle shows if all of it holds, else null. The first step is about the browser and the trust
// root: where it fails, there is no code, since nothing was said of the bundle.
//
// Like bundle.py and period.py it is stricter than that document where this costs no honest file: it refuses an Ed25519
// signature that holds only with the factor 8, reads of a trust root only the rendering that a chain makes itself, of `cnf`
// only `jwk`, and no number beyond 2^53.

/** The steps, in their order. */
export const STEPS = [
  'trust-root',
  'file',
  'ledger',
  'moment',
  'receipt',
  'request',
  'duty',
  'time',
  'accreditation',
  'holder',
  'withdrawal',
];

/** The steps for a period export. */
export const PERIOD_STEPS = ['trust-root', 'file', 'ledger', 'chain', 'dates', 'anchors'];

/** The steps for a state proof by itself. */
export const STATE_STEPS = ['trust-root', 'file', 'ledger'];

/** Checks a bundle. Does not throw for what is in it: what does not hold is told in the answer. */
export function checkBundle(bytes, trustRootText) {
  return inSteps(STEPS, CHECKS, show, bytes, trustRootText);
}

/**
 * Checks a period export: whether it is the whole of a service's chain of receipts from one moment to another. Answers as for a
 * bundle, and with `place`, the place in the chain at which it does not hold, else null. `shown` are `service` (`did`, `label`),
 * `from` and `to` in seconds, the places of the `first` and the `last` entry (null where there is none), how many answers were
 * `accepted` and `refused` and how many withdrawals were acknowledged (`withdrawn`), up to which place the ledger has the chain
 * (`anchored`) as of which log `index` and `cosigned` at which second, whether nothing can come into the period any more
 * (`closed`), and how many of its entries are `waiting` for the ledger.
 */
export function checkPeriod(bytes, trustRootText) {
  return inSteps(PERIOD_STEPS, PERIOD_CHECKS, showPeriod, bytes, trustRootText);
}

/**
 * Checks a state proof by itself: what the ledger held for a key. Answers as for a bundle; a proof that does not hold has no
 * code. `shown` are `key`, `value` (its text, null where the ledger held nothing), `index`, the last log index that it knows,
 * and when that was sealed and cosigned, in milliseconds and in seconds.
 */
export function checkState(bytes, trustRootText) {
  return inSteps(STATE_STEPS, STATE_CHECKS, (found) => found.shown, bytes, trustRootText);
}

async function inSteps(names, checks, shown, bytes, trustRootText) {
  const steps = [];
  const act = {};
  try {
    for (const name of names) steps.push({ name, ok: true, ...(await checks[name](act, bytes, trustRootText)) });
    return { holds: true, code: null, place: null, steps, shown: shown(act) };
  } catch (error) {
    const { code = null, place = null, reason = unforeseen(error) } = error;
    steps.push({ name: names[steps.length], ok: false, ...because(reason) });
    return { holds: false, code, place, steps, shown: null };
  }
}

/** What a step has to say: by what name, with which values, and as an English sentence. */
const says = (said, values, detail) => ({ said, values, detail });

/** From the ledger inwards. Each adds to the act what it found, and says it. */
const CHECKS = {
  async 'trust-root'(act, _, words) {
    await part(null, canCheck);
    act.trust = await part(null, () => readTrustRoot(words));
    const { validators, quorum, origin } = act.trust;
    const count = validators.length;
    return says(
      'trust-root',
      { count, quorum, origin },
      `${count} validators of ${origin}, of which ${quorum} certify`,
    );
  },
  async file(act, bytes) {
    act.bundle = await readFile(new Uint8Array(bytes));
    return says('file', {}, 'the file is the one that was written');
  },
  async ledger(act) {
    act.ledger = await Ledger.prove(act.bundle.states, act.trust);
    const count = act.ledger.known.size;
    return says('ledger', { count }, `${count} statements of the ledger hold under the trust root`);
  },
  async moment(act) {
    act.receipt = await part('evidence.receipt', () => readReceipt(act.bundle.receipt));
    Object.assign(act, await findMoment(act));
    const values = { number: act.said.seq, index: act.ledger.moment };
    return act.anchored
      ? says('moment', values, `the ledger has receipt ${values.number} at log index ${values.index}`)
      : says('moment-waiting', values, `receipt ${values.number} waits: all is read as of log index ${values.index}`);
  },
  async receipt({ receipt, ledger, service }) {
    const key = () => ledger.key(...receipt.signer, 'authentication');
    await part('evidence.receipt', async () => verify(receipt, key()));
    return says('receipt', { name: ledger.named(service) }, `signed by a key that ${ledger.called(service)} had then`);
  },
  async request(act) {
    Object.assign(act, await part('evidence.request', () => checkRequest(act)));
    return says('request', {}, 'signed by the same service, for an answer to its own address');
  },
  async duty(act) {
    Object.assign(act, await checkWord(act));
    const values = { duty: act.word.claims.duty, index: act.delegation.id };
    const delegated = `delegated at log index ${values.index}, which covers the question`;
    return says('duty', values, `signed under duty ${values.duty}, ${delegated}`);
  },
  async time(act) {
    await part('evidence.receipt', () => checkTimes(act));
    return says('time', {}, 'the receipt is of before it was on the ledger, and of while the question was open');
  },
  async accreditation(act) {
    act.chains = await findChains(act);
    const count = act.chains.map((links) => links.length).join(', ');
    return says('accreditation', { count }, `from the service to an authority of genesis: ${count} accreditations`);
  },
  async holder(act) {
    act.holder = await checkHolder(act);
    const details = {
      signed: 'the holder signed this answer',
      claimed: "signatures are here as the holder's; whose they are is not shown",
      unproven: 'nothing here shows that the holder signed',
    };
    return says(`holder-${act.holder}`, {}, details[act.holder]);
  },
  async withdrawal(act) {
    act.withdrawn = await checkWithdrawal(act);
    if (!act.withdrawn) return says('withdrawal-none', {}, 'the file is of no withdrawal');
    const { notarised, acknowledged } = act.withdrawn;
    const [noted, answered] = [notarised ? 'noted' : 'claimed', acknowledged ? 'answered' : 'silent'];
    const known = notarised ? `on the ledger at log index ${notarised.index}` : 'by when is not shown';
    const detail = `by the hand that answered, ${known}, ${acknowledged ? 'acknowledged' : 'not acknowledged here'}`;
    return says(`withdrawal-${noted}-${answered}`, { index: notarised?.index }, detail);
  },
};

/** From the ledger inwards, for a period. */
const PERIOD_CHECKS = {
  'trust-root': CHECKS['trust-root'],
  async file(act, bytes) {
    act.period = await readPeriod(new Uint8Array(bytes));
    return says('file', {}, 'the file is the one that was written');
  },
  async ledger(act) {
    Object.assign(act, await part('period.state', () => proveChain(act)));
    const values = { number: act.anchored, index: act.index };
    return says(
      'chain-known',
      values,
      `the ledger has the chain up to ${values.number}, as of log index ${values.index}`,
    );
  },
  async chain(act) {
    act.chain = await readChain(act);
    const count = act.chain.length;
    return says('chain', { count }, `${count} entries follow one another, each signed by the service`);
  },
  async dates(act) {
    await checkDates(act);
    return says('dates', {}, 'each is dated where it stands');
  },
  async anchors(act) {
    await checkRanges(act);
    const count = act.period.ranges.length;
    return says('anchors', { count }, `${count} anchors of the service cover all that the ledger has of it`);
  },
};

const STATE_CHECKS = {
  'trust-root': CHECKS['trust-root'],
  async file(act, bytes) {
    act.proof = await part(null, () => closed(readJson(new Uint8Array(bytes)), STATE));
    return says('state-file', {}, 'the file is a state proof');
  },
  async ledger(act) {
    const { key, value } = act.proof;
    const { index, time, sealed } = await part(null, () => proveState(act.trust, act.proof));
    act.shown = { key, value: value === null ? null : text(fromBase64url(value)), index, sealed, cosigned: time };
    return says('state', { index }, `what it says holds under the trust root, as of log index ${index}`);
  },
};

/** The members of a state proof. */
const STATE = ['key', 'value', 'path', 'seal', 'proof'];
const LEEWAY = 300;
const A_DAY = 86_400;
/** Within which a service must have acknowledged a withdrawal. */
const ANSWER_DAYS = 15;
const MAX_CHAIN = 8;
const MAX_NAMES = 24 * 1024;

/** Why something does not hold: an English sentence with its values in it, each as an object that names it. */
const why = (words, ...values) => ({ words, values });
/** The same as a step says it. Its words, without what is no letter and no digit, are the name for other languages. */
function because({ words, values: given }) {
  const values = Object.assign({}, ...given);
  const names = given.map((value) => Object.keys(value)[0]);
  const filled = (fill) => words.reduce((sentence, part, at) => `${sentence}${fill(names[at - 1])}${part}`);
  const said = filled((name) => name)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return says(
    said,
    values,
    filled((name) => values[name]),
  );
}
/** What a browser says of something that no check looked for. */
const unforeseen = ({ message }) => why`malformed or missing: ${{ problem: message }}`;

/** A part of the file does not hold; of a period, at this place of the chain. */
class Fails extends Error {
  constructor(code, reason, place) {
    super(code);
    Object.assign(this, { code, reason, place });
  }
}
/** Two certified histories of one ledger, which have a name of their own wherever they are met. */
class SplitView extends Error {}

/** Whatever goes wrong in here, this part of the file does not hold. */
async function part(code, check, place) {
  try {
    return await check();
  } catch (error) {
    if (error instanceof Fails) throw error;
    if (error instanceof SplitView) throw new Fails(splitView(code), why`the ledger has certified two histories`);
    throw new Fails(code, error.reason ?? unforeseen(error), place);
  }
}
const splitView = (code) => (code?.startsWith('evidence.') ? 'evidence.split_view' : 'ledger.checkpoint.split_view');
class Refused extends Error {
  constructor(reason) {
    super();
    this.reason = reason;
  }
}
function need(holds, reason) {
  if (!holds) throw new Refused(reason);
}

/** What a bundle shows that holds. */
function show({ ledger, said, service, word, delegation, chains, anchored, holder, withdrawn }) {
  return {
    service: ledger.named(service),
    official: {
      person: delegation.holder === 'official',
      title: delegation.title,
      duty: word.claims.duty,
      number: delegation.id,
    },
    chains: chains.map((links) =>
      links.map(({ holder, by, grant }) => ({ holder: ledger.named(holder), by: ledger.named(by), number: grant.id })),
    ),
    presentations: inOrder(said.presentations).map(([query, one]) => ({
      query,
      type: one.type ?? null,
      claims: one.claims,
    })),
    purpose: said.purpose,
    basis: said.basis,
    retention_days: said.retention_days,
    holder_signs: said.holder_signs,
    verdict: said.verdict,
    receipt: { number: said.seq, time: said.iat },
    moment: { index: ledger.moment, anchored, sealed_by: ledger.sealedBy() },
    holder,
    withdrawn,
  };
}

// ---- Bytes and texts ----

const utf8 = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
const sha = async (bytes, algorithm = 'SHA-256') => new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
const hashText = async (words) => toBase64url(await sha(utf8(words)));
const equal = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const byBytes = (one, other) => compare(utf8(one), utf8(other));
function compare(one, other) {
  for (let at = 0; at < Math.min(one.length, other.length); at += 1)
    if (one[at] !== other[at]) return one[at] - other[at];
  return one.length - other.length;
}
function join(...parts) {
  const joined = new Uint8Array(parts.reduce((length, one) => length + one.length, 0));
  parts.reduce((at, one) => (joined.set(one, at), at + one.length), 0);
  return joined;
}
function fromBase64(words, length) {
  need(typeof words === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(words), why`no base64`);
  const bytes = Uint8Array.from(atob(words), (letter) => letter.charCodeAt(0));
  need(
    toBase64(bytes) === words && (length ?? bytes.length) === bytes.length,
    why`base64 in another spelling, or of another length`,
  );
  return bytes;
}
function toBase64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
const toBase64url = (bytes) => toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
function fromBase64url(words, length) {
  need(typeof words === 'string' && /^[A-Za-z0-9_-]*$/.test(words), why`no base64url`);
  return fromBase64(words.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (words.length % 4)) % 4), length);
}
/** A number in its one spelling. */
function numberOf(words) {
  need(
    /^(0|[1-9][0-9]{0,15})$/.test(words) && Number.isSafeInteger(Number(words)),
    why`no number, or one in another spelling`,
  );
  return Number(words);
}
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

// ---- JSON ----

/** A number that is no whole number of at most 53 bits: kept as it is written, since nobody here counts with it. */
class Decimal {
  constructor(words) {
    this.words = words;
  }
}

/** JSON as docs/formats.md has it: no name twice in an object, no half of a surrogate pair, nothing after the value. */
function readJson(words) {
  const source = typeof words === 'string' ? words : text(words);
  let at = 0;
  const refuse = () => need(false, why`no strict JSON`);
  const token = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0] ?? refuse();
    at += found.length;
    return found;
  };
  const skip = () => token(/[ \t\n\r]*/y);
  const takes = (sign) => {
    skip();
    if (source[at] !== sign) return false;
    at += 1;
    return true;
  };
  const expect = (sign) => takes(sign) || refuse();
  const string = () => {
    const value = JSON.parse(
      token(/"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y),
    );
    need(!/\p{Surrogate}/u.test(value), why`half of a surrogate pair`);
    return value;
  };
  const number = () => {
    const found = token(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y);
    need(Number.isFinite(Number(found)), why`a number that is not finite`);
    return /^-?[0-9]+$/.test(found) && Number.isSafeInteger(Number(found)) ? Number(found) : new Decimal(found);
  };
  const object = (depth) => {
    const members = Object.create(null);
    for (let first = true; !takes('}'); first = false) {
      first || expect(',');
      skip();
      const name = string();
      need(!(name in members), why`a name twice in an object`);
      expect(':');
      members[name] = value(depth + 1);
    }
    return members;
  };
  const array = (depth) => {
    const elements = [];
    while (!takes(']')) {
      if (elements.length) expect(',');
      elements.push(value(depth + 1));
    }
    return elements;
  };
  const value = (depth) => {
    need(depth < 64, why`nested too deep`);
    if (takes('{')) return object(depth);
    if (takes('[')) return array(depth);
    if (source[at] === '"') return string();
    if (/[-0-9]/.test(source[at] ?? '')) return number();
    return { true: true, false: false, null: null }[token(/true|false|null/y)];
  };
  const read = value(0);
  skip();
  need(at === source.length, why`something after the JSON`);
  return read;
}
/** One text for each value, whatever the order of an object's members. */
function canonical(value) {
  if (value instanceof Decimal) return value.words;
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'nothing';
  return `{${Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)}}`;
}
const same = (one, other) => canonical(one) === canonical(other);
const isObject = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Decimal);
/** An object with all of these members, and no others but the optional ones. */
function closed(value, names, optional = []) {
  const expected = isObject(value) && names.every((name) => name in value);
  need(
    expected && Object.keys(value).every((name) => names.includes(name) || optional.includes(name)),
    why`other members than expected`,
  );
  return value;
}
function list(value) {
  need(Array.isArray(value), why`no array`);
  return value;
}
/** The presentations, or their names in a receipt, in the order of the query ids and then of the answer. */
const inOrder = (byQuery) =>
  Object.keys(byQuery)
    .sort(byBytes)
    .flatMap((id) => list(byQuery[id]).map((one) => [id, one]));
/** A time claim: an integer from 1970 to 9999, or not there. */
function timeOf(claims, name) {
  if (!(name in claims)) return undefined;
  need(isCount(claims[name]) && claims[name] <= 253_402_300_799, why`${{ claim: name }} is no time`);
  return claims[name];
}

// ---- Signatures ----

const P = 2n ** 255n - 19n;
const ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
/** The y of all points of small order. */
const SMALL_ORDER = [0n, 1n, P - 1n, ORDER_8, P - ORDER_8];

/** A browser that is too old must not make a bundle look wrong. */
async function canCheck() {
  need(
    globalThis.crypto?.subtle,
    why`the browser has no WebCrypto for this page: open it over HTTPS, or from this machine`,
  );
  const known = fromBase64url('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');
  const imported = crypto.subtle.importKey('raw', known, 'Ed25519', false, ['verify']);
  need(await imported.catch(() => false), why`the browser does not know Ed25519 signatures: take a newer one`);
}
async function ed25519Holds(key, message, signature) {
  const y = BigInt(`0x${hex(Uint8Array.from(key).reverse())}`) & (2n ** 255n - 1n);
  need(key.length === 32 && y < P && !SMALL_ORDER.includes(y), why`a key in another encoding, or of small order`);
  const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', imported, signature, message);
}
/** The bytes of a public key: 32 of Ed25519, 64 of P-256. */
function point(jwk) {
  const kind = `${jwk.kty} ${jwk.crv}`;
  need(!('d' in jwk) && (kind === 'OKP Ed25519' || kind === 'EC P-256'), why`a key of another kind`);
  return jwk.kty === 'OKP' ? fromBase64url(jwk.x, 32) : join(fromBase64url(jwk.x, 32), fromBase64url(jwk.y, 32));
}
async function isSignedBy(jwk, alg, message, signature) {
  const key = point(jwk);
  need(signature.length === 64, why`a signature of another length`);
  if (jwk.kty === 'OKP') {
    need(alg === 'EdDSA' || alg === 'Ed25519', why`an algorithm that is not the key's`);
    return ed25519Holds(key, message, signature);
  }
  need(alg === 'ES256', why`an algorithm that is not the key's`);
  const p256 = { name: 'ECDSA', namedCurve: 'P-256' };
  const imported = await crypto.subtle.importKey('raw', join([4], key), p256, false, ['verify']);
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, imported, signature, message);
}
/** RFC 7638. */
const thumbprint = (jwk) =>
  hashText(
    jwk.kty === 'OKP'
      ? `{"crv":"Ed25519","kty":"OKP","x":"${jwk.x}"}`
      : `{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`,
  );

/** A compact JWS, its signature not looked at; any `typ` where none is named. */
function readJws(words, typ) {
  const parts = words.split('.');
  need(parts.length === 3, why`no compact JWS`);
  const [header, claims] = parts.slice(0, 2).map((one) => readJson(fromBase64url(one)));
  need(isObject(header) && isObject(claims) && typeof header.typ === 'string', why`a JWS without typ`);
  need((typ ?? header.typ) === header.typ && !('crit' in header) && !('b64' in header), why`no JWS of typ ${{ typ }}`);
  return {
    header,
    claims,
    input: utf8(`${parts[0]}.${parts[1]}`),
    signature: fromBase64url(parts[2]),
    /** DID and key id; that it is one of a ledger DID is asked of the ledger. */
    get signer() {
      const named = /^(did:xinfu:[a-z0-9-]{1,32}:[A-Za-z0-9]+)#([A-Za-z0-9._-]{1,64})$/.exec(header.kid);
      need(named, why`a kid that is no name of a ledger key`);
      return named.slice(1);
    },
  };
}
async function verify(jws, jwk) {
  need(await isSignedBy(jwk, jws.header.alg, jws.input, jws.signature), why`a signature does not hold`);
}

// ---- The ledger ----

/** That a leaf's entry stands at `index` of a tree (RFC 6962) with this root. */
async function checkIncluded(entry, index, size, path, root) {
  need(isCount(index) && isCount(size) && index < size, why`an index outside the tree`);
  let [node, last, hash] = [BigInt(index), BigInt(size) - 1n, await sha(join([0], entry))];
  for (const sibling of path) {
    need(last > 0n, why`a path is too long`);
    const isRight = (node & 1n) === 1n || node === last;
    hash = await sha(isRight ? join([1], sibling, hash) : join([1], hash, sibling));
    while (isRight && node > 0n && (node & 1n) === 0n) [node, last] = [node >> 1n, last >> 1n];
    [node, last] = [node >> 1n, last >> 1n];
  }
  need(last === 0n && equal(hash, root), why`a path does not lead to its root`);
}

/** Reads the one rendering that a chain gives its own trust root. */
function readTrustRoot(words) {
  const lines = words.split('\n');
  const [group, quorumLine, end] = lines.splice(-3);
  const named = /^log (\S+)\nwitness (\S+) (\S+)$/;
  const validators = [];
  for (let at = 0; at < lines.length; at += 2) {
    const found = named.exec(lines.slice(at, at + 2).join('\n'));
    need(found, why`the trust root is none that a chain writes`);
    validators.push({ log: readKey(found[1], 1), name: found[2], witness: readKey(found[3], 4) });
  }
  need(validators.length > 0 && validators.length <= 21, why`a trust root of no validators, or of too many`);
  const [origin, names] = [validators[0].log.name, validators.map(({ name }) => name)];
  const quorum = Math.floor((2 * names.length) / 3) + 1;
  need(
    group === `group validators ${quorum} ${names.join(' ')}` &&
      quorumLine === 'quorum validators' &&
      end === '' &&
      names.every((name, at) => at === 0 || names[at - 1] < name),
    why`the trust root does not name its validators in order, and their quorum`,
  );
  need(
    validators.every(({ log, name, witness }) => log.name === origin && witness.name === `${origin}/${name}`),
    why`the trust root names a key otherwise than its validator`,
  );
  need(
    new Set(validators.flatMap(({ log, witness }) => [hex(log.key), hex(witness.key)])).size === 2 * names.length,
    why`a key stands twice in the trust root`,
  );
  return { origin, quorum, validators, roots: new Map(), certified: new Map() };
}
function readKey(words, kind) {
  const found = /^([^+]+)\+([0-9a-f]{8})\+(.*)$/.exec(words);
  need(found, why`no verifier key`);
  const material = fromBase64(found[3], 33);
  need(material[0] === kind, why`a verifier key of another kind`);
  return { name: found[1], id: found[2], material, key: material.slice(1) };
}
const keyId = async ({ name, material }) => hex((await sha(join(utf8(`${name}\n`), material))).slice(0, 4));

/** Size, root and age of a certified checkpoint. A note is looked at once. */
async function certify(trust, note) {
  if (!trust.certified.has(note)) trust.certified.set(note, await certifyOnce(trust, note));
  const checkpoint = trust.certified.get(note);
  const root = toBase64(checkpoint.root);
  if ((trust.roots.get(checkpoint.size) ?? root) !== root) throw new SplitView();
  trust.roots.set(checkpoint.size, root);
  return checkpoint;
}
async function certifyOnce(trust, note) {
  need(utf8(note).length <= 16_384 && !/[\u0000-\u0009\u000b-\u001f]/.test(note), why`a checkpoint is malformed`);
  const middle = note.lastIndexOf('\n\n');
  const [signed, lines] = [note.slice(0, middle + 1), note.slice(middle + 2).split('\n')];
  const [origin, size, root, end, ...more] = signed.split('\n');
  need(
    middle >= 0 && lines.pop() === '' && lines.length <= 16 && end === '' && more.length === 0,
    why`a checkpoint is malformed`,
  );
  let isLogged = false;
  const cosigned = new Map();
  for (const line of lines) {
    const [dash, name, words, ...rest] = line.split(' ');
    const data = fromBase64(words);
    need(
      dash === '—' && name && !name.includes('+') && rest.length === 0 && data.length > 4,
      why`a signature of a checkpoint is malformed`,
    );
    const isBy = (key) => key.name === name && key.id === hex(data.slice(0, 4));
    for (const { log, witness } of trust.validators) {
      if (isBy(log)) {
        need(
          (await keyId(log)) === log.id && (await ed25519Holds(log.key, utf8(signed), data.slice(4))),
          why`a log signature does not hold`,
        );
        isLogged = true;
      }
      if (isBy(witness)) {
        const time = new DataView(data.buffer).getBigUint64(4);
        const message = utf8(`cosignature/v1\ntime ${time}\n${signed}`);
        need(
          (await keyId(witness)) === witness.id && (await ed25519Holds(witness.key, message, data.slice(12))),
          why`a cosignature does not hold`,
        );
        need(time < 2n ** 63n, why`a time that is none`);
        cosigned.set(name, Math.max(Number(time), cosigned.get(name) ?? 0));
      }
    }
  }
  need(origin === trust.origin && isLogged && cosigned.size >= trust.quorum, why`the checkpoint is not certified`);
  const times = [...cosigned.values()].sort((one, other) => other - one);
  const faulty = Math.floor((trust.validators.length - 1) / 3);
  return { size: numberOf(size), root: fromBase64(root, 32), time: times[faulty] };
}
/** A C2SP tlog-proof: the index of an entry, the path from there, and the note over the root. */
function readLogProof(proof) {
  const middle = proof.indexOf('\n\n');
  const [header, ...lines] = proof.slice(0, middle).split('\n');
  if (/^extra [A-Za-z0-9+/]*=*$/.test(lines[0] ?? '')) lines.shift();
  need(middle >= 0 && header === 'c2sp.org/tlog-proof@v1' && lines[0]?.startsWith('index '), why`not a log proof`);
  const index = numberOf(lines.shift().slice(6));
  return { index, path: lines.map((line) => fromBase64(line, 32)), note: proof.slice(middle + 2) };
}
/** Index of a log entry, and the checkpoint that shows it. */
async function proveEntry(trust, proof, entry) {
  const { index, path, note } = readLogProof(proof);
  const checkpoint = await certify(trust, note);
  await checkIncluded(utf8(entry), index, checkpoint.size, path, checkpoint.root);
  return { index, checkpoint };
}
/** What the state holds for a key (`value` null: nothing), and the last log index that the proof knows. */
async function proveState(trust, proof) {
  const { index, checkpoint } = await proveEntry(trust, proof.proof, proof.seal);
  need(index === checkpoint.size - 1, why`the seal is not the last entry`);
  const seal = /^\{"type":"xinfu-seal","height":([0-9]+),"time":([0-9]+),"state":"(.{43})","policy":"(.{43})"\}$/.exec(
    proof.seal,
  );
  need(seal && isCount(numberOf(seal[1])) && fromBase64url(seal[4], 32), why`the last entry is not a seal`);
  const place = await sha(utf8(proof.key));
  const { siblings: texts, other } = closed(proof.path, ['siblings'], ['other']);
  const siblings = list(texts).map((sibling) => fromBase64url(sibling, 32));
  const bit = (hash, at) => (hash[at >> 3] >> (7 - (at & 7))) & 1;
  need(siblings.length <= 256 && (proof.value === null || !other), why`a path to a state is malformed`);
  const leaf = (key, value) => sha(join(utf8('JMT::LeafNode'), key, value));
  let node = utf8('SPARSE_MERKLE_PLACEHOLDER_HASH__');
  if (proof.value !== null) node = await leaf(place, await sha(fromBase64url(proof.value)));
  if (other) {
    const [key, value] = [other.key, closed(other, ['key', 'value']).value].map((hash) => fromBase64url(hash, 32));
    need(
      !equal(key, place) && siblings.every((_, at) => bit(key, at) === bit(place, at)),
      why`a leaf stands in another place`,
    );
    node = await leaf(key, value);
  }
  for (let at = siblings.length - 1; at >= 0; at -= 1) {
    const sibling = siblings[siblings.length - 1 - at];
    node = await sha(join(utf8('JMT::IntrnalNode'), ...(bit(place, at) ? [sibling, node] : [node, sibling])));
  }
  need(equal(node, fromBase64url(seal[3], 32)), why`a state path does not lead to its root`);
  const value = proof.value === null ? null : readJson(fromBase64url(proof.value));
  return { value, index, time: checkpoint.time, sealed: numberOf(seal[2]) };
}
/** The sender of an anchor of any kind, and what it says. */
function readAnchor(transaction) {
  const tx = readJws(transaction, 'xinfu-tx+jwt');
  const range = tx.claims.kind === 'receipt' ? ['first', 'last', 'head'] : [];
  const said = closed(tx.claims, ['aud', 'seq', 'exp', 'op', 'kind', 'root', 'count', ...range]);
  need(said.op === 'anchor', why`a transaction that is no anchor`);
  return { said, sender: tx.signer[0] };
}
/** Log index and sender of an anchor proof, and what its transaction says. */
async function checkAnchor(trust, anchor, digest, kind) {
  closed(anchor, ['batch', 'transaction', 'proof']);
  const { said, sender } = readAnchor(anchor.transaction);
  need(said.kind === kind && said.aud === trust.origin, why`no such anchor of this ledger`);
  const batch = closed(anchor.batch, ['index', 'count', 'path']);
  need(said.count === batch.count, why`a batch is of another size`);
  const path = list(batch.path).map((hash) => fromBase64url(hash, 32));
  await checkIncluded(digest, batch.index, batch.count, path, fromBase64url(said.root, 32));
  const { index } = await proveEntry(trust, anchor.proof, anchor.transaction);
  return { index, sender, said };
}

/** Whether an entry of a history holds at a log index. */
const holdsAt = (entry, index, start = 'from', end = 'until') =>
  isCount(entry[start]) &&
  entry[start] <= index &&
  (entry[end] === undefined || entry[end] === null || index < entry[end]);

/** What the ledger says in a bundle, read as of one log index. */
class Ledger {
  /** The log index as of which everything is read, once it is found. */
  moment = null;

  static prove(states, trust) {
    return part('evidence.state', async () => {
      const ledger = new Ledger();
      ledger.known = new Map();
      for (const proof of states) {
        need(!ledger.known.has(proof.key), why`a state stands here twice`);
        ledger.known.set(proof.key, await proveState(trust, proof));
      }
      return ledger;
    });
  }
  get proven() {
    return [...this.known.values()];
  }
  /** The last log index that all of it knows. */
  get newest() {
    return this.proven.length ? Math.min(...this.proven.map(({ index }) => index)) : 0;
  }
  /** When, at the latest, the log had come to an index, in milliseconds. */
  sealedBy(at = this.moment) {
    return Math.min(...this.proven.filter(({ index }) => index >= at).map(({ sealed }) => sealed));
  }
  /** All of it knows this index. */
  reach(index) {
    if (index > this.newest) throw new Fails('evidence.behind', why`a state is of before something was on the ledger`);
  }
  /** All of it is of after this time, but for how far clocks may differ. */
  isSince(time) {
    return this.proven.every((state) => state.time >= time - LEEWAY);
  }
  get(key) {
    if (!this.known.has(key))
      throw new Fails('evidence.incomplete', why`${{ kind: key.split('/')[0] }} of somebody in the chain is not here`);
    return this.known.get(key).value;
  }
  did(did) {
    const history = this.get(`did/${did}`);
    need(history?.did === did, why`there is no such DID`);
    return history;
  }
  /** The keys of a DID for a use, at a log index. */
  keys(did, use, index = this.moment) {
    const history = this.did(did);
    return holdsAt(history, index, 'created', 'deactivated')
      ? list(history.keys).filter((key) => key.use === use && holdsAt(key, index))
      : [];
  }
  key(did, id, use, index = this.moment) {
    const key = this.keys(did, use, index).find((one) => one.id === id);
    need(key, why`no key for ${{ use }} then`);
    return key.jwk;
  }
  grants(did) {
    const history = this.get(`accreditation/${did}`) ?? { subject: did, grants: [] };
    need(history.subject === did, why`accreditations of somebody else`);
    return list(history.grants);
  }
  held(did, role, vct, index = this.moment) {
    return this.grants(did).filter(
      (grant) => grant.role === role && list(grant.types).includes(vct) && holdsAt(grant, index, 'started', 'ended'),
    );
  }
  named(did) {
    return { did, label: this.did(did).label ?? null };
  }
  called(did) {
    const { label } = this.named(did);
    return label ? `${label.en} (${did})` : did;
  }
}

// ---- The file and the receipt ----

/** The JSON of a file that ends with its own digest. */
async function openFile(bytes, most, malformed, changed) {
  const [said, digest] = await part(malformed, () => {
    need(bytes.length <= most, why`larger than such a file may be`);
    const whole = text(bytes);
    const end = whole.lastIndexOf(',"sha256":"');
    const found = /^,"sha256":"([A-Za-z0-9_-]{43})"\}\n$/.exec(whole.slice(Math.max(end, 0)));
    need(end >= 0 && found, why`the file does not end with its digest`);
    return [whole.slice(0, end), fromBase64url(found[1], 32)];
  });
  if (!equal(await sha(utf8(said)), digest)) throw new Fails(changed, why`the file was changed after it was written`);
  return `${said}}`;
}
async function readFile(bytes) {
  const json = await openFile(bytes, 8 * 1024 * 1024, 'evidence.malformed', 'evidence.changed');
  return part('evidence.malformed', () => {
    const members = ['format', 'request', 'receipt', 'states', 'key_bindings'];
    const bundle = closed(readJson(json), members, ['receipt_proof', 'full', 'withdrawal']);
    need(bundle.format === 'xinfu-evidence-1', why`the file is of another format`);
    const texts = [bundle.request, bundle.receipt, ...list(bundle.key_bindings)];
    if ('full' in bundle)
      texts.push(...inOrder(closed(bundle.full, ['vp_token'], ['anchors']).vp_token).map(([, one]) => one));
    if ('withdrawal' in bundle) {
      const takenBack = closed(bundle.withdrawal, ['text'], ['notarised', 'acknowledgement', 'acknowledgement_proof']);
      need('acknowledgement' in takenBack || !('acknowledgement_proof' in takenBack), why`a proof of nothing`);
      texts.push(takenBack.text, takenBack.acknowledgement ?? '');
    }
    for (const state of list(bundle.states)) {
      closed(state, STATE);
      texts.push(state.key, state.seal, state.proof);
    }
    need(
      texts.every((one) => typeof one === 'string'),
      why`something that is no text`,
    );
    return bundle;
  });
}

/** A law, in words. */
const isBasis = (words) =>
  typeof words === 'string' && words.trim() !== '' && [...words].length <= 256 && !/\p{Cc}/u.test(words);
/** Duty number, purpose, basis and retention within their bounds. */
function checkBounds(said, duty) {
  const isText = [duty, said.purpose, said.basis].every((one) => typeof one === 'string');
  need(
    isText && /^[A-Za-z0-9._-]{1,64}$/.test(duty) && /^[!-~]{1,64}$/.test(said.purpose),
    why`a duty or a purpose that is none`,
  );
  need(isBasis(said.basis), why`a legal basis that is none`);
  need(
    isCount(said.retention_days) && said.retention_days <= 36_525 && typeof said.holder_signs === 'boolean',
    why`a retention that is none`,
  );
  if ('case' in said) fromBase64url(said.case, 32);
}
const RECEIPT = [
  'iss',
  'act',
  'iat',
  'request',
  'presentations',
  'purpose',
  'basis',
  'retention_days',
  'holder_signs',
  'verdict',
  'seq',
];
function readReceipt(words) {
  const receipt = readJws(words, 'xinfu-receipt+jwt');
  const said = closed(receipt.claims, RECEIPT, ['case', 'previous']);
  closed(said.act, ['duty', 'key', 'holder']);
  checkBounds(said, said.act.duty);
  need(
    words.length <= 65_536 && ['official', 'service'].includes(said.act.holder),
    why`longer than it may be, or of another kind`,
  );
  [said.act.key, said.request].forEach((hash) => fromBase64url(hash, 32));
  need(
    isCount(said.seq) && said.seq > 0 && (said.seq === 1) === !('previous' in said),
    why`the receipt is at another place than the one before it says`,
  );
  if ('previous' in said) fromBase64url(said.previous, 32);
  need(/^(accepted|[a-z0-9_]+(\.[a-z0-9_]+)+)$/.test(said.verdict), why`a verdict that is none`);
  for (const [, one] of inOrder(said.presentations)) {
    list(closed(one, ['digest', 'claims'], ['type']).claims);
    fromBase64url(one.digest, 32);
  }
  need(timeOf(said, 'iat') !== undefined && receipt.signer[0] === said.iss, why`this is another service's`);
  return receipt;
}
/** As of when everything is read: when the ledger took the receipt, else the newest that all of the bundle knows. */
async function findMoment({ bundle, receipt, ledger, trust }) {
  const said = receipt.claims;
  const found = { said, service: said.iss, anchored: 'receipt_proof' in bundle };
  ledger.moment = ledger.newest;
  if (!found.anchored) {
    if (!ledger.isSince(said.iat))
      throw new Fails('evidence.behind', why`the receipt waits, and a state is of before it`);
    return found;
  }
  const digest = await sha(utf8(bundle.receipt));
  const at = await part('evidence.anchor', () => checkAnchor(trust, bundle.receipt_proof, digest, 'receipt'));
  if (at.sender !== said.iss)
    throw new Fails('evidence.anchor_sender', why`somebody else put the receipt on the ledger`);
  const isItsPlace = at.said.first + bundle.receipt_proof.batch.index === said.seq;
  if (!isItsPlace) throw new Fails('evidence.anchor', why`the receipt stands at another's place`);
  ledger.reach(at.index);
  ledger.moment = at.index;
  return found;
}

// ---- The request and the official's word ----

/** The payload of the request, its queries by id, and what the holder was to sign. That it has expired changes nothing. */
async function checkRequest({ bundle, ledger, service }) {
  const jws = readJws(bundle.request, 'oauth-authz-req+jwt');
  const { name, key } =
    'x5c' in jws.header ? await byCertificate(jws.header.x5c, ledger, service) : byName(jws, ledger, service);
  await verify(jws, key);
  const request = jws.claims;
  need(
    bundle.request.length <= 65_536 && request.aud === 'https://self-issued.me/v2' && request.client_id === name,
    why`the request is in another name`,
  );
  const isOurKind =
    request.response_type === 'vp_token' && ['direct_post', 'direct_post.jwt'].includes(request.response_mode);
  need(
    isOurKind && isObject(request.client_metadata?.vp_formats_supported?.['dc+sd-jwt']),
    why`the request is of another kind`,
  );
  need(!('redirect_uri' in request) && !('scope' in request), why`the request has more than it may have`);
  need(
    /^[A-Za-z0-9._~-]{22,512}$/.test(request.nonce) && timeOf(request, 'exp') !== undefined,
    why`no nonce, or no end`,
  );
  const address = originOf(request.response_uri);
  const services = list(ledger.did(service).services).filter(
    (one) => one.type === 'XinfuVerifier' && holdsAt(one, ledger.moment),
  );
  need(
    services.some(({ url }) => originOf(url) === address),
    why`an answer to an address that is not the service's`,
  );
  const asked = list(request.dcql_query.credentials);
  const queries = new Map(asked.map((query) => [query.id, query]));
  need(queries.size > 0 && queries.size === asked.length, why`the request has no queries, or one twice`);
  need(
    asked.every(({ format, meta }) => format === 'dc+sd-jwt' && list(meta.vct_values).length > 0),
    why`the request asks for another format`,
  );
  const words = list(request.verifier_info ?? []).filter(({ format }) => format === 'xinfu-duty+jwt');
  need(
    words.length <= 1 && words.every((info) => !('credential_ids' in info)),
    why`the request has more than one official's word`,
  );
  return { request, queries, ...(await readTransactionData(request, queries)), wordText: words[0]?.data };
}
function byName(jws, ledger, service) {
  const [signer, id] = jws.signer;
  need(signer === service, why`a key of somebody else's`);
  return { name: `decentralized_identifier:${service}`, key: ledger.key(service, id, 'authentication') };
}
/** A client that is known by its certificate: whose key that is, the ledger says. */
async function byCertificate(x5c, ledger, service) {
  const leaf = fromBase64(list(x5c)[0]);
  const certified = readCertificate(leaf);
  const key = ledger.keys(service, 'authentication').find(({ jwk }) => equal(point(jwk), certified));
  need(key, why`a certificate with another's key`);
  return { name: `x509_hash:${toBase64url(await sha(leaf))}`, key: key.jwk };
}
function originOf(address) {
  const url = new URL(address);
  need(
    ['https:', 'http:'].includes(url.protocol) && url.hostname && !url.username && !url.password && !url.hash,
    why`an address that is no service's`,
  );
  return url.origin;
}
/** By query, the digests that its holder must sign; and the attestations that those are over. */
async function readTransactionData(request, queries) {
  const [toSign, over] = [new Map([...queries.keys()].map((id) => [id, []])), []];
  for (const words of list(request.transaction_data ?? [])) {
    const data = fromBase64url(words);
    const bound = closed(readJson(data), ['type', 'credential_ids', 'attestation'], ['transaction_data_hashes_alg']);
    const [id, ...more] = list(bound.credential_ids);
    const isOurs = data.length <= 2048 && bound.type === 'urn:xinfu:transaction-data:duty:1';
    const isOpen = more.length === 0 && toSign.get(id)?.length === 0;
    need(
      isOurs && isOpen && list(bound.transaction_data_hashes_alg ?? ['sha-256']).includes('sha-256'),
      why`transaction_data that is none for its query`,
    );
    over.push(toBase64url(fromBase64url(bound.attestation, 32)));
    toSign.get(id).push(await hashText(words));
  }
  const isWhole = [...toSign.values()].every((hashes) => hashes.length === ('transaction_data' in request ? 1 : 0));
  need(isWhole, why`transaction_data is missing for a query`);
  return { toSign, over };
}

const WORD = [
  'iss',
  'duty',
  'purpose',
  'basis',
  'retention_days',
  'receiver',
  'holder_signs',
  'dcql_query',
  'client_id',
  'response_uri',
  'nonce',
  'exp',
];
const REPEATED = ['purpose', 'basis', 'retention_days', 'case', 'holder_signs'];
/** The official's word over the request, and the delegation under which it was given. */
async function checkWord(act) {
  const { said, wordText } = act;
  const word = await part('evidence.duty', () => {
    need(typeof wordText === 'string', why`the request names no official`);
    const word = readJws(wordText, 'xinfu-duty+jwt');
    const claims = closed(word.claims, WORD, ['case']);
    checkBounds(claims, claims.duty);
    need(
      wordText.length <= 24_576 && claims.receiver === claims.iss,
      why`the attestation is longer than it may be, or for another receiver`,
    );
    return word;
  });
  if ((await hashText(wordText)) !== said.request)
    throw new Fails('evidence.other_request', why`the receipt is over another question`);
  const isRepeated =
    said.act.duty === word.claims.duty &&
    said.act.key === word.header.kid &&
    REPEATED.every((name) => same(said[name], word.claims[name]));
  if (!isRepeated)
    throw new Fails('evidence.other_word', why`the receipt states something else than the official signed`);
  const delegation = await part('evidence.duty', () => checkDuty(word, act));
  if (delegation.holder !== said.act.holder)
    throw new Fails('evidence.official', why`the receipt says otherwise than the ledger whether a person signed`);
  return { word, delegation };
}
async function checkDuty(word, { ledger, service, said, request, queries, over }) {
  const stated = word.claims;
  need(stated.iss === service, why`the attestation is another department's`);
  const history = ledger.get(`duty/${service}/${stated.duty}`);
  need(history?.department === service && history.duty === stated.duty, why`no duty of this number`);
  const [given, ...more] = list(history.delegations).filter((one) => holdsAt(one, ledger.moment, 'started', 'ended'));
  need(
    given && more.length === 0 && (await thumbprint(given.key)) === word.header.kid,
    why`no duty is delegated to this key then`,
  );
  await verify(word, given.key);
  const isOverThis =
    ['dcql_query', 'client_id', 'response_uri', 'nonce', 'exp'].every(
      (name) => name in request && same(stated[name], request[name]),
    ) &&
    stated.purpose === request.xinfu_purpose &&
    stated.holder_signs === 'transaction_data' in request;
  need(isOverThis && over.every((hash) => hash === said.request), why`the attestation is over another request`);
  const covers = (query) =>
    query.meta.vct_values.every((vct) => list(given.types).includes(vct)) && mayAsk(given, query, stated.purpose);
  need(given.role === 'verifier' && [...queries.values()].every(covers), why`the duty does not cover the question`);
  need('case' in stated || !given.case_required, why`the duty needs a case, and there is no case`);
  return given;
}
/** Whether a grant or a delegation covers the claims of a query, and the purpose. */
function mayAsk(grant, query, purpose) {
  return (
    list(query.claims ?? []).every(({ path }) => begins(grant.claims ?? [], leadingNames(path))) &&
    list(grant.purposes ?? []).includes(purpose)
  );
}
function leadingNames(path) {
  const end = list(path).findIndex((step) => typeof step !== 'string');
  return end < 0 ? path : path.slice(0, end);
}
const begins = (paths, path) =>
  list(paths).some((given) => given.length <= path.length && given.every((name, at) => name === path[at]));

function checkTimes({ anchored, said, ledger, request }) {
  need(
    !anchored || said.iat <= Math.floor(ledger.sealedBy() / 1000) + LEEWAY,
    why`the receipt is from after it was on the ledger`,
  );
  need(
    said.verdict !== 'accepted' || said.iat <= request.exp + LEEWAY,
    why`it was accepted when the question had long ended`,
  );
}

// ---- On whose word ----

/** For each accreditation under which was asked, the links from the service up to the authority. */
async function findChains({ ledger, service, queries, said }) {
  const grants = await part('evidence.accreditation', () => {
    const first = ([query, vct]) =>
      ledger.held(service, 'verifier', vct).find((grant) => mayAsk(grant, query, said.purpose));
    const found = [...queries.values()].flatMap((query) => query.meta.vct_values.map((vct) => [query, vct])).map(first);
    need(
      found.every((grant) => grant),
      why`the service was not accredited for the question`,
    );
    return [...new Set(found)];
  });
  return part('evidence.chain', () => grants.map((grant) => climb(ledger, service, grant)));
}
function climb(ledger, service, granted) {
  const links = [];
  let [holder, grant] = [service, granted];
  while (links.length < MAX_CHAIN) {
    const { by } = grant;
    [holder, by].forEach((did) => ledger.named(did));
    links.push({ holder, by, grant });
    if (grant.under === undefined) {
      need(
        grant.depth === 1 && wasAuthority(ledger.get(`member/${by}`), by, grant.id),
        why`it was accredited by no authority`,
      );
      return links;
    }
    const above = ledger.grants(by).find(({ id }) => id === grant.under);
    need(
      above?.delegable === true &&
        holdsAt(above, ledger.moment, 'started', 'ended') &&
        grant.depth === above.depth + 1 &&
        isWithin(grant, above),
      why`an accreditation that was not to be given`,
    );
    [holder, grant] = [by, above];
  }
  throw new Refused(why`a chain without an end`);
}
/** An authority that was expelled and came back is none any more; what it gave before stands. */
const wasAuthority = (member, did, given) =>
  member?.did === did &&
  [member, ...(member.earlier ?? [])].some((period) => holdsAt(period, given)) &&
  (member.authority === true || given < member.from);
const isWithin = (grant, above) =>
  grant.role === above.role &&
  list(grant.types).every((vct) => above.types.includes(vct)) &&
  list(grant.claims ?? []).every((path) => begins(above.claims ?? [], path)) &&
  list(grant.purposes ?? []).every((purpose) => (above.purposes ?? []).includes(purpose)) &&
  above.from <= grant.from &&
  grant.until <= above.until;

// ---- The holder ----

/** What is shown of the holder: `signed`, `claimed` or `unproven`. */
async function checkHolder(act) {
  const { bundle, said } = act;
  if (bundle.full) {
    const isNamed = await part('evidence.presentation', async () =>
      same(said.presentations, await namePresentations(bundle.full.vp_token)),
    );
    if (!isNamed) throw new Fails('evidence.presentation', why`not the presentations that the receipt names`);
    const sent = inOrder(bundle.full.vp_token).map(([, shown]) => shown.split('~').at(-1));
    if (!same(sent, bundle.key_bindings))
      throw new Fails('evidence.holder', why`signatures of something else than the presentations`);
  }
  if (bundle.key_bindings.length === 0) return 'unproven';
  try {
    await part('evidence.holder', () => (bundle.full ? checkSigned(act) : checkClaimed(act)));
    return bundle.full ? 'signed' : 'claimed';
  } catch (error) {
    // What the service refused may well be forged; that is why.
    if (error.code === 'evidence.holder' && said.verdict !== 'accepted') return 'unproven';
    throw error;
  }
}
/** An answer as a receipt names it; types and claims for which there is no room are left out. */
async function namePresentations(token) {
  let room = MAX_NAMES;
  const named = Object.create(null);
  for (const id of Object.keys(token)) named[id] = [];
  for (const [id, shown] of inOrder(token)) {
    let names = await nameOne(shown);
    const size = utf8(JSON.stringify([names.type ?? null, names.claims])).length;
    if (size <= room) room -= size;
    else names = { claims: [] };
    named[id].push({ digest: await hashText(shown), ...names });
  }
  return named;
}
/** Type and disclosed claims of a presentation, whether or not they hold. */
async function nameOne(words) {
  try {
    const { claims, disclosed } = await readSdJwt(words, undefined);
    return { claims: disclosed.sort(byPath), ...(typeof claims.vct === 'string' ? { type: claims.vct } : {}) };
  } catch {
    return { claims: [] };
  }
}
function byPath(one, other) {
  for (let at = 0; at < Math.min(one.length, other.length); at += 1) {
    const [a, b] = [one[at], other[at]];
    const order =
      typeof a === typeof b ? (typeof a === 'string' ? byBytes(a, b) : a - b) : typeof a === 'string' ? -1 : 1;
    if (order !== 0) return order;
  }
  return one.length - other.length;
}
/** Each says that it answers this question. Nobody can check the signatures from here. */
function checkClaimed({ bundle, said, request, queries, toSign }) {
  const named = inOrder(said.presentations);
  need(named.length === bundle.key_bindings.length, why`not as many signatures as presentations`);
  named.forEach(([id, shown], at) => {
    const query = queries.get(id);
    need(
      query && (!('type' in shown) || query.meta.vct_values.includes(shown.type)),
      why`not a type that was asked for`,
    );
    checkOccasion(readJws(bundle.key_bindings[at], 'kb+jwt').claims, request, toSign.get(id));
  });
}
function checkOccasion(claims, request, toSign) {
  need(claims.aud === request.client_id && claims.nonce === request.nonce, why`the holder signed for another question`);
  const signed = list(claims.transaction_data_hashes ?? []);
  const isSha256 = (claims.transaction_data_hashes_alg ?? 'sha-256') === 'sha-256';
  need(isSha256 && same(signed, toSign), why`the holder did not sign what the data is wanted for, or something else`);
}
/** The issuer's signature over the holder's key, and the holder's over the question. */
async function checkSigned({ bundle, ledger, said, request, queries, toSign, trust }) {
  const { vp_token: token, anchors = {} } = bundle.full;
  checkOutline(token, request.dcql_query, queries);
  need(
    Object.keys(anchors).every((id) => id in token),
    why`a proof of something that was not shown`,
  );
  for (const [id, several] of Object.entries(token)) {
    const proofs = list(anchors[id] ?? []);
    need(proofs.length === 0 || proofs.length === several.length, why`not as many proofs as presentations`);
    for (const [at, words] of several.entries()) {
      const shown = await readSdJwt(words, 'dc+sd-jwt');
      const [issuer, keyName] = shown.jws.signer;
      const index = proofs.length ? await anchoredBefore(trust, proofs[at], shown, ledger) : ledger.moment;
      need(
        !shown.disclosed.some(([name]) => IN_PLAIN_SIGHT.includes(name)),
        why`a claim that must not be a disclosure`,
      );
      await verify(shown.jws, ledger.key(issuer, keyName, 'assertionMethod', index));
      need(ledger.held(issuer, 'issuer', shown.claims.vct, index).length > 0, why`the issuer was not accredited`);
      checkAnswer(queries.get(id), shown.claims, issuer);
      const holder = readJws(shown.keyBinding, 'kb+jwt');
      await verify(holder, closed(shown.claims.cnf, ['jwk']).jwk);
      checkOccasion(holder.claims, request, toSign.get(id));
      need(holder.claims.sd_hash === (await shown.hash(shown.bound)), why`the holder signed another presentation`);
      checkAge(holder.claims, said.iat);
    }
  }
}
const IN_PLAIN_SIGHT = ['iss', 'nbf', 'exp', 'cnf', 'vct', 'vct#integrity', 'aka_vcts', 'status'];
async function anchoredBefore(trust, proof, shown, ledger) {
  const at = await checkAnchor(trust, proof, await sha(utf8(shown.issued)), 'credential');
  need(
    at.sender === shown.jws.signer[0] && at.index <= ledger.moment,
    why`the credential was anchored by somebody else, or after the act`,
  );
  return at.index;
}
function checkAge(claims, receivedAt) {
  const [exp, nbf, iat] = ['exp', 'nbf', 'iat'].map((name) => timeOf(claims, name));
  need(receivedAt - A_DAY - LEEWAY <= iat && iat <= receivedAt + LEEWAY, why`the holder signed on another day`);
  need(
    (exp === undefined || receivedAt < exp + LEEWAY) && (nbf === undefined || nbf - LEEWAY <= receivedAt),
    why`the holder's signature is out of its time`,
  );
}
/** The queries answered are those that had to be, each by as many credentials as it may. */
function checkOutline(token, asked, queries) {
  const answered = Object.keys(token);
  for (const id of answered) {
    const [several, most] = [token[id], queries.get(id)?.multiple === true ? 16 : 1];
    // Not by the signature: under ES256 anybody makes a second one of the first.
    const issued = new Set(several.map((shown) => shown.split('~')[0].split('.', 2).join('.')));
    need(
      queries.has(id) && several.length >= 1 && several.length <= most && issued.size === several.length,
      why`too many answers, or none`,
    );
  }
  const sets = list(asked.credential_sets ?? []);
  const met = sets.map(({ options }) => list(options).filter((option) => option.every((id) => answered.includes(id))));
  need(
    sets.every(({ required }, at) => required === false || met[at].length > 0),
    why`a query without its answer`,
  );
  const wanted = new Set(sets.length ? met.flat(2) : queries.keys());
  need(
    answered.length > 0 && wanted.size === answered.length && answered.every((id) => wanted.has(id)),
    why`another answer than was asked for`,
  );
}
/** The credential answers the query. */
function checkAnswer(query, claims, issuer) {
  need(query.meta.vct_values.includes(claims.vct), why`not a type that was asked for`);
  const trusted = list(query.trusted_authorities ?? []);
  const isTrusted = ({ type, values }) => type === 'xinfu_ledger' && list(values).includes(issuer);
  need(trusted.length === 0 || trusted.some(isTrusted), why`the credential is another issuer's`);
  const asked = list(query.claims ?? []);
  const named = (id) => asked.find((claim) => claim.id === id);
  const alternatives = query.claim_sets ? query.claim_sets.map((ids) => ids.map(named)) : [asked];
  const isThere = ({ path, values }) => {
    const found = select(claims, path);
    return found.length > 0 && (!values || found.some((value) => values.some((one) => same(value, one))));
  };
  need(
    alternatives.some((alternative) => alternative.every(isThere)),
    why`a claim is missing`,
  );
}
/** The values at a claims path. */
function select(value, [step, ...rest]) {
  if (step === undefined) return [value];
  if (step === null) return Array.isArray(value) ? value.flatMap((element) => select(element, rest)) : [];
  const fits = typeof step === 'string' ? isObject(value) && step in value : Array.isArray(value) && step in value;
  return fits ? select(value[step], rest) : [];
}

// ---- Taken back ----

/** What is shown of a withdrawal; null where the sharing was not taken back. */
async function checkWithdrawal(act) {
  const { bundle, ledger, trust } = act;
  if (!bundle.withdrawal) return null;
  const withdrawal = { text: bundle.withdrawal.text, receipt: await hashText(bundle.receipt) };
  withdrawal.said = await part('evidence.withdrawal', () => readWithdrawal(withdrawal, act));
  const shown = { signed: withdrawal.said.iat, notarised: null, acknowledged: null };
  const { notarised } = bundle.withdrawal;
  if (notarised) {
    const digest = await sha(utf8(withdrawal.text));
    const at = await part('evidence.notarised', () => checkAnchor(trust, notarised, digest, 'notarised'));
    ledger.reach(at.index);
    const sealed = Math.floor(ledger.sealedBy(at.index) / 1000);
    await part('evidence.withdrawal', () =>
      need(shown.signed <= sealed + LEEWAY, why`the withdrawal is dated after the ledger had it`),
    );
    shown.notarised = {
      by: ledger.named(at.sender),
      index: at.index,
      sealed_by: sealed,
      due: sealed + ANSWER_DAYS * A_DAY,
    };
  }
  if ('acknowledgement' in bundle.withdrawal) shown.acknowledged = await checkAcknowledgement(withdrawal, act);
  return shown;
}
/** Of this very sharing, and by a hand that answered the question, too. */
async function readWithdrawal({ text: words, receipt }, { bundle, said, request }) {
  const jws = readJws(words, 'xinfu-withdrawal+jwt');
  const claims = closed(jws.claims, ['aud', 'receipt', 'iat']);
  const { jwk } = jws.header;
  const isNamedOnce = isObject(jwk) && !('kid' in jws.header) && !('x5c' in jws.header) && !('d' in jwk);
  need(words.length <= 4096 && isNamedOnce, why`a key by two names, or none`);
  need(claims.aud === said.iss && claims.receipt === receipt, why`the withdrawal is of another sharing`);
  const answered = await Promise.all(bundle.key_bindings.map((binding) => answers(binding, request, jwk)));
  need(answered.includes(true), why`another hand than the one that answered`);
  await verify(jws, jwk);
  need(timeOf(claims, 'iat') >= said.iat - LEEWAY, why`the withdrawal is from before the sharing`);
  return claims;
}
/** Whether this is an answer to the request by this key. */
async function answers(words, request, jwk) {
  try {
    const binding = readJws(words, 'kb+jwt');
    await verify(binding, jwk);
    return binding.claims.aud === request.client_id && binding.claims.nonce === request.nonce;
  } catch {
    return false;
  }
}
const ACKNOWLEDGEMENT = ['iss', 'iat', 'withdrawal', 'receipt', 'deleted', 'kept', 'passed_on', 'seq'];
function readAcknowledgement(words) {
  const jws = readJws(words, 'xinfu-withdrawal-ack+jwt');
  const said = closed(jws.claims, ACKNOWLEDGEMENT, ['previous']);
  need(
    words.length <= 24_576 && jws.signer[0] === said.iss && isAccount(said),
    why`longer than it may be, or of another kind`,
  );
  [said.withdrawal, said.receipt].forEach((hash) => fromBase64url(hash, 32));
  return jws;
}
/** What the service says it did, as of when the ledger took that, else the newest that all of the bundle knows. */
async function checkAcknowledgement(withdrawal, { bundle, ledger, trust, service, said: receipt }) {
  const { acknowledgement: words, acknowledgement_proof: proof } = bundle.withdrawal;
  const digest = await sha(utf8(words));
  const [jws, at] = await part('evidence.acknowledgement', async () => {
    const jws = readAcknowledgement(words);
    const said = jws.claims;
    const at = proof ? await checkAnchor(trust, proof, digest, 'receipt') : null;
    const isItsPlace = !at || (at.sender === service && at.said.first + proof.batch.index === said.seq);
    need(isItsPlace, why`the acknowledgement stands at another's place`);
    return [jws, at];
  });
  const said = jws.claims;
  if (at) ledger.reach(at.index);
  else if (!ledger.isSince(said.iat))
    throw new Fails('evidence.behind', why`the acknowledgement waits, and a state is of before it`);
  const sealed = at ? Math.floor(ledger.sealedBy(at.index) / 1000) : null;
  await part('evidence.acknowledgement', async () => {
    need(said.iss === service, why`this is another service's`);
    await verify(jws, ledger.key(...jws.signer, 'authentication', at ? at.index : ledger.newest));
    need(
      said.withdrawal === toBase64url(await sha(utf8(withdrawal.text))),
      why`the acknowledgement is of another withdrawal`,
    );
    need(said.receipt === withdrawal.receipt && said.seq > receipt.seq, why`the acknowledgement is of another receipt`);
    const isInTime = said.iat >= withdrawal.said.iat - LEEWAY && (sealed === null || said.iat <= sealed + LEEWAY);
    need(isInTime, why`the acknowledgement is of a time that does not fit`);
  });
  const { iat, seq, deleted, kept, passed_on } = said;
  return { time: iat, number: seq, deleted, kept, passed_on, index: at?.index ?? null, sealed_by: sealed };
}
const KINDS = [
  'claims',
  'presentation',
  'key_bindings',
  'anchor_proofs',
  'holder_keys',
  'request',
  'verdict',
  'receipt',
];
/** Whether it gives account of each kind at most once, and of the receipt as kept. */
function isAccount(said) {
  const kept = list(said.kept).map((one) => closed(one, ['what', 'basis'], ['until']));
  const [stays, gone] = [kept.map(({ what }) => what), list(said.deleted)];
  const isInOrder = (some) =>
    same(
      some,
      KINDS.filter((kind) => some.includes(kind)),
    );
  if ('previous' in said) fromBase64url(said.previous, 32);
  return (
    isInOrder(stays) &&
    isInOrder(gone) &&
    stays.includes('receipt') &&
    !stays.some((kind) => gone.includes(kind)) &&
    typeof said.passed_on === 'boolean' &&
    timeOf(said, 'iat') !== undefined &&
    kept.every((one) => isBasis(one.basis) && (timeOf(one, 'until') ?? said.iat) >= said.iat) &&
    isCount(said.seq) &&
    said.seq > 1 &&
    'previous' in said
  );
}

// ---- A period ----

/** Most entries under one anchor. */
const MAX_BATCH = 65_536;

async function readPeriod(bytes) {
  const json = await openFile(bytes, 64 * 1024 * 1024, 'period.malformed', 'period.changed');
  return part('period.malformed', () => {
    const members = ['format', 'service', 'from', 'to', 'entries', 'ranges', 'keys', 'anchored'];
    const period = closed(readJson(json), members, ['before', 'after']);
    const { before = '', after = '', service, entries, ranges, keys, anchored, from, to } = period;
    need(period.format === 'xinfu-period-1' && isCount(from) && isCount(to), why`the file is of another format`);
    const texts = [service, before, after, ...list(entries)];
    [keys, anchored].forEach((state) => texts.push(closed(state, STATE).key, state.seal, state.proof));
    for (const range of list(ranges)) {
      closed(range, ['first', 'last', 'transaction', 'proof'], ['leading', 'trailing']);
      need(isCount(range.first) && isCount(range.last), why`a place that is none`);
      texts.push(range.transaction, range.proof, ...list(range.leading ?? []), ...list(range.trailing ?? []));
    }
    need(
      texts.every((one) => typeof one === 'string'),
      why`something that is no text`,
    );
    return period;
  });
}
/** Whose keys the service ever had, and up to which place, with which digest there, the ledger has its chain. */
async function proveChain({ period, trust }) {
  const { service, keys, anchored } = period;
  const { value: history } = await proveState(trust, keys);
  const { value, index, time } = await proveState(trust, anchored);
  need(keys.key === `did/${service}` && anchored.key === `receipts/${service}`, why`the states are of something else`);
  need(history?.did === service, why`there is no such DID`);
  const { last, head } = closed(value ?? { last: 0 }, ['last'], ['head']);
  need(isCount(last), why`a place that is none`);
  return { history, index, cosigned: time, anchored: last, head: head ?? null };
}
/** Every entry of the file: each signed by the service for this place, and following the one before. */
async function readChain({ period, history, anchored }) {
  const { before, entries, after, service } = period;
  const texts = [before, ...entries, after].filter((words) => words !== undefined);
  const place =
    before === undefined ? 1 : await part('receipt.malformed', () => readEntry(before, service).claims.seq, 0);
  const chain = [];
  for (const [number, words] of texts.entries()) {
    const seq = place + number;
    const jws = await part('receipt.malformed', () => readEntry(words, service), seq);
    await part('receipt.signature', () => verifyByAny(jws, history), seq);
    if (jws.claims.seq !== seq)
      throw new Fails('receipt.misplaced', why`at the place of ${{ number: seq }} stands another`, seq);
    const last = chain.at(-1);
    if (last && jws.claims.previous !== last.name)
      throw new Fails('receipt.altered', why`${{ number: last.seq }} is not the one that was followed`, last.seq);
    const digest = await sha(utf8(words));
    chain.push({ seq, at: jws.claims.iat, verdict: jws.claims.verdict ?? null, digest, name: toBase64url(digest) });
  }
  const end = chain.at(-1)?.seq ?? 0;
  if (after === undefined && end < anchored)
    throw new Fails(
      'receipt.cut_off',
      why`the ledger has ${{ count: anchored }}, and the file ends with ${{ last: end }}`,
      end + 1,
    );
  return chain;
}
/** A receipt, or the acknowledgement of a withdrawal. */
function readEntry(words, service) {
  const jws = readJws(words).header.typ === 'xinfu-receipt+jwt' ? readReceipt(words) : readAcknowledgement(words);
  need(jws.claims.iss === service, why`this is another service's`);
  return jws;
}
/** By a key of this name that was ever the service's. */
async function verifyByAny(jws, history) {
  const own = list(history.keys).filter((key) => key.use === 'authentication' && key.id === jws.signer[1]);
  need(own.length > 0, why`no key of the service`);
  const held = await Promise.all(
    own.map(({ jwk }) =>
      verify(jws, jwk).then(
        () => true,
        () => false,
      ),
    ),
  );
  need(held.includes(true), why`a signature does not hold`);
}
/** Where the entries of the period begin in the chain, and where they end. */
const inside = ({ before, entries }) => [before === undefined ? 0 : 1, (before === undefined ? 0 : 1) + entries.length];

function checkDates({ period, chain }) {
  const { from, to } = period;
  const [begin, end] = inside(period);
  for (const [number, { seq, at }] of chain.entries()) {
    const earliest = number === begin ? from : from - LEEWAY;
    const fits = number < begin ? at < from : number === end ? at >= to : earliest <= at && at < to;
    if (!fits) throw new Fails('period.time', why`${{ number: seq }} is not dated where it stands`, seq);
  }
  if (from >= to) throw new Fails('period.malformed', why`the period ends before it begins`);
}
/** Every entry that the ledger has is in an anchor of the service's, and each anchor continues the one before. */
async function checkRanges(act) {
  const { period, chain, anchored, head } = act;
  let next = chain[0]?.seq ?? 1;
  for (const [number, range] of period.ranges.entries()) {
    const { first, last } = range;
    const continues = number === 0 ? first > 0 && first <= next : first === next;
    if (!continues || last < next)
      throw new Fails('period.uncovered', why`the anchors do not continue one another`, next);
    const digest = await checkRange(act, range);
    if (last > anchored) throw new Fails('period.state', why`the state is of before an anchor`);
    if (last === anchored && toBase64url(digest) !== head)
      throw new Fails('period.forked', why`the ledger has another chain`, first);
    next = last + 1;
  }
  if (next <= Math.min(chain.at(-1)?.seq ?? 0, anchored))
    throw new Fails('period.uncovered', why`no anchor covers it`, next);
}
/** That the service put these very entries on the ledger, as far as the state knows. Gives the digest of the last. */
async function checkRange({ period, chain, trust, index: asOf }, range) {
  const { first, last, leading = [], trailing = [], transaction, proof } = range;
  const begin = chain[0]?.seq ?? 1;
  const here = chain.slice(Math.max(0, first - begin), last - begin + 1).map(({ digest }) => digest);
  const digests = await part(
    'period.uncovered',
    () => {
      const [before, behind] = [leading, trailing].map((some) => some.map((digest) => fromBase64url(digest, 32)));
      const all = [...before, ...here, ...behind];
      const isWhole = before.length === Math.max(0, begin - first) && all.length === last - first + 1;
      need(isWhole && all.length <= MAX_BATCH, why`digests of an anchor are missing`);
      return all;
    },
    first,
  );
  const { said, sender } = await part('registry.proof.not_an_anchor', () => readAnchor(transaction));
  if (said.kind !== 'receipt') throw new Fails('registry.proof.other_kind', why`no anchor of receipts`);
  if (said.aud !== trust.origin) throw new Fails('registry.proof.other_ledger', why`an anchor on another ledger`);
  const isThese = said.count === digests.length && said.root === toBase64url(await rootOf(digests));
  if (!isThese) throw new Fails('period.forked', why`the ledger has other entries here`, first);
  const logged = await part('registry.proof.log_proof', () => readLogProof(proof));
  const { size, root } = await part('registry.proof.not_certified', () => certify(trust, logged.note));
  const isThere = () => checkIncluded(utf8(transaction), logged.index, size, logged.path, root);
  await part('registry.proof.not_in_log', isThere);
  if (sender !== period.service) throw new Fails('period.anchor_sender', why`somebody else anchored them`);
  if (said.first !== first || said.last !== last)
    throw new Fails('period.forked', why`the ledger has other entries here`, first);
  if (logged.index > asOf) throw new Fails('period.state', why`the state is of before an anchor`);
  return digests.at(-1);
}
/** Root of RFC 6962: the nodes of each level are joined in pairs, and one that is left over goes up as it is. */
async function rootOf(digests) {
  let level = await Promise.all(digests.map((digest) => sha(join([0], digest))));
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at < level.length; at += 2)
      above.push(at + 1 < level.length ? sha(join([1], level[at], level[at + 1])) : level[at]);
    level = await Promise.all(above);
  }
  return level[0];
}
/** What a period shows that is whole. */
function showPeriod({ period, history, chain, anchored, index, cosigned }) {
  const acts = chain.slice(...inside(period));
  const count = (fits) => acts.filter(fits).length;
  return {
    service: { did: period.service, label: history.label ?? null },
    from: period.from,
    to: period.to,
    first: acts[0]?.seq ?? null,
    last: acts.at(-1)?.seq ?? null,
    accepted: count(({ verdict }) => verdict === 'accepted'),
    refused: count(({ verdict }) => verdict !== null && verdict !== 'accepted'),
    withdrawn: count(({ verdict }) => verdict === null),
    anchored,
    index,
    cosigned,
    closed: period.after !== undefined && chain.at(-1).seq <= anchored,
    waiting: count(({ seq }) => seq > anchored),
  };
}

// ---- SD-JWT ----

const HASHES = { 'sha-256': 'SHA-256', 'sha-384': 'SHA-384', 'sha-512': 'SHA-512' };
/** A presentation with its disclosures put into their places; no signature is looked at. */
async function readSdJwt(words, typ) {
  const [issued, ...disclosures] = words.split('~');
  const keyBinding = disclosures.pop();
  const jws = readJws(issued, typ);
  const { _sd_alg: name = 'sha-256', ...payload } = jws.claims;
  need(Object.hasOwn(HASHES, name), why`a hash that is not known here`);
  const hash = async (part) => toBase64url(await sha(utf8(part), HASHES[name]));
  const offered = new Map();
  for (const disclosure of disclosures) offered.set(await hash(disclosure), readJson(fromBase64url(disclosure)));
  need(offered.size === disclosures.length, why`a disclosure twice`);
  const walk = new Walk(offered);
  const claims = walk.value(payload, []);
  need(offered.size === 0, why`a disclosure that nothing refers to`);
  return {
    jws,
    issued,
    keyBinding,
    hash,
    claims,
    disclosed: walk.disclosed,
    bound: words.slice(0, words.length - keyBinding.length),
  };
}
class Walk {
  disclosed = [];
  seen = new Set();
  constructor(offered) {
    this.offered = offered;
  }
  /** The content of the disclosure with this digest, if it came along. */
  take(digest, length) {
    need(typeof digest === 'string' && !this.seen.has(digest), why`a digest twice, or none`);
    this.seen.add(digest);
    const content = this.offered.get(digest);
    this.offered.delete(digest);
    need(
      content === undefined || (Array.isArray(content) && content.length === length && typeof content[0] === 'string'),
      why`a disclosure of another form`,
    );
    return content;
  }
  value(value, path) {
    if (Array.isArray(value)) return this.array(value, path);
    return isObject(value) ? this.object(value, path) : value;
  }
  array(elements, path) {
    return elements.flatMap((element, at) => {
      const here = [...path, at];
      if (!isObject(element) || !same(Object.keys(element), ['...'])) return [this.value(element, here)];
      const content = this.take(element['...'], 2);
      if (content === undefined) return [];
      this.disclosed.push(here);
      return [this.value(content[1], here)];
    });
  }
  object(members, path) {
    need(!('...' in members) && !('_sd_alg' in members), why`a reserved name among the claims`);
    const out = Object.create(null);
    for (const [name, value] of Object.entries(members))
      if (name !== '_sd') out[name] = this.value(value, [...path, name]);
    for (const digest of list(members._sd ?? [])) {
      const content = this.take(digest, 3);
      if (content === undefined) continue;
      const [, name, value] = content;
      need(
        typeof name === 'string' && !['_sd', '...', '_sd_alg'].includes(name) && !(name in out),
        why`a disclosed name that must not be one, or stands there already`,
      );
      this.disclosed.push([...path, name]);
      out[name] = this.value(value, [...path, name]);
    }
    return out;
  }
}

// ---- A certificate ----

/** The public key in a certificate (RFC 5280), which must not sign itself and must be for signatures. */
function readCertificate(der) {
  const [toBeSigned] = children(children(der)[0].content);
  const fields = children(toBeSigned.content).filter(({ tag }) => tag !== 0xa0);
  const [, , issuer, , subject, keyInfo] = fields;
  need(!equal(issuer.content, subject.content), why`a certificate that signs itself`);
  const extensions = children(fields.find(({ tag }) => tag === 0xa3).content)[0];
  const usage = children(extensions.content)
    .map(({ content }) => children(content))
    .find(([name]) => hex(name.content) === '551d0f');
  need(
    usage && (children(usage.at(-1).content)[0].content[1] & 0x80) !== 0,
    why`a certificate of a key that signs nothing`,
  );
  const [algorithm, bits] = children(keyInfo.content);
  const name = hex(algorithm.content);
  if (name === '06032b6570' && bits.content.length === 33) return bits.content.slice(1);
  need(
    name === '06072a8648ce3d020106082a8648ce3d030107' && bits.content.length === 66 && bits.content[1] === 4,
    why`a key of another kind`,
  );
  return bits.content.slice(2);
}
/** The elements that stand in these bytes (DER), lengths below 64 KiB. */
function children(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes[at + 1];
    const [length, start] =
      size < 0x80
        ? [size, at + 2]
        : size === 0x81
          ? [bytes[at + 2], at + 3]
          : [bytes[at + 2] * 256 + bytes[at + 3], at + 4];
    need(size <= 0x82 && size !== 0x80 && start + length <= bytes.length, why`no DER`);
    found.push({ tag: bytes[at], content: bytes.slice(start, start + length) });
    at = start + length;
  }
  return found;
}
