// "Check a file": reads the file that somebody chose or dropped, and says what came of it. The file goes nowhere: the node
// is asked for its trust root and, where the file is a receipt, how far the ledger has the chain that it names.
import { checkBundle, checkPeriod, checkState, PERIOD_STEPS, STATE_STEPS, STEPS } from './check.js';

/** Longest file: a period export has at most 64 MiB. */
const MOST_BYTES = 64 * 1024 * 1024;
/** How a period export begins, and no other file. */
const PERIOD = '{"format":"xinfu-period-1",';

const texts = document.querySelector('#texts').content;
const result = document.querySelector('#result');
const drop = document.querySelector('#drop');
const files = document.querySelector('#file');
const root = document.querySelector('#root');

/** The page's words: this script has none of its own. */
function say(id, values = {}) {
  const found = texts.querySelector(`[data-text="${id}"]`);
  if (!found) throw new Error(`no text ${id}`);
  return found.textContent.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** What something is called in the page's language, if the page knows it. */
function called(kind, name) {
  const found = [...texts.querySelectorAll(`[data-${kind}]`)].find((one) => one.dataset[kind] === name);
  return found?.textContent ?? name;
}

/** What hides, or reorders what stands around it: control characters, direction marks and invisible characters. */
const OBEYED = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

/** An element with this text or these elements in it. Text stays text: nothing of a file is ever read as HTML, and it moves
 * nothing that stands beside it. */
function make(tag, looks, ...content) {
  const made = document.createElement(tag);
  if (looks) made.className = looks;
  made.append(...content.map((one) => (typeof one === 'string' ? one.replace(OBEYED, '\ufffd') : one)));
  return made;
}

function facts(...pairs) {
  return make('dl', 'facts', ...pairs.map(([name, ...value]) => make('div', '', make('dt', '', name), make('dd', '', ...value))));
}

function show(...content) {
  result.replaceChildren(...content);
}

function verdict(looks, text) {
  return make('p', `verdict ${looks}`, text);
}

// ---- Which file it is ----

async function check(file) {
  result.removeAttribute('data-done');
  show(make('p', 'faint', say('console-check-reading')));
  try {
    show(...(await read(file)));
  } catch {
    show(verdict('bad', say('console-check-failed')));
  }
  // Whoever listens, or drives this page, knows now that it is all there.
  result.setAttribute('data-done', '');
  result.focus({ preventScroll: true });
}

async function read(file) {
  if (!globalThis.crypto?.subtle) return [verdict('bad', say('console-check-no-crypto'))];
  if (file.size > MOST_BYTES) return [verdict('bad', say('console-check-too-large'))];
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (new TextDecoder().decode(bytes.subarray(0, PERIOD.length)) === PERIOD) return period(bytes);
  const text = new TextDecoder().decode(bytes).trim();
  if (isStateProof(text)) return state(bytes);
  if (text.startsWith('{')) return bundle(bytes);
  const payload = payloadOf(text);
  if (typeof payload?.iss === 'string' && Number.isSafeInteger(payload.seq)) return receipt(text, payload);
  return [verdict('bad', say('console-check-unknown'))];
}

/** Whether it is an answer to GET /proofs/state, by its members. */
function isStateProof(text) {
  try {
    const read = JSON.parse(text);
    return ['key', 'value', 'path', 'seal', 'proof'].every((name) => name in read);
  } catch {
    return false;
  }
}

/** The payload of a compact JWS, or nothing. */
function payloadOf(text) {
  const parts = text.split('.');
  if (parts.length !== 3) return null;
  try {
    const binary = atob(parts[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (letter) => letter.charCodeAt(0))));
  } catch {
    return null;
  }
}

// ---- A bundle of evidence ----

async function bundle(bytes) {
  const trustRoot = await trusted();
  if (trustRoot === null) return [verdict('bad', say('console-check-no-trust'))];
  const answer = await checkBundle(bytes, trustRoot);
  if (!answer.holds) return refused(answer, STEPS, say('console-check-fails'));
  return held(answer, STEPS, [say('evidence-holds'), ...told(answer.shown)]);
}

/** A file that holds: the first line says so, the others what it shows. */
function held({ steps }, names, [holds, ...lines]) {
  const shown = make('ul', 'shown', ...lines.map((line) => make('li', '', line)));
  return [verdict('good', holds), shown, listed(names, steps)];
}

/** A file that does not hold, or that nothing was said of. */
function refused({ code, place, steps }, names, fails) {
  // The first step is about browser and trust root: where it fails, nothing is said of the file.
  if (steps.length === 1) return [verdict('waiting', say('console-check-not-checked')), listed(names, steps)];
  const known = [...texts.querySelectorAll('[data-code]')].find((one) => one.dataset.code === code);
  const where = place === null ? [] : [make('p', '', say('period-place', { number: place }))];
  const words = known ? [make('p', '', known.textContent), ...where, make('p', 'faint', known.dataset.remedy)] : [];
  const name = code ? [make('p', 'note', make('code', '', code))] : [];
  return [verdict('bad', fails), ...words, ...name, listed(names, steps)];
}

function listed(names, steps) {
  return make('ol', 'steps', ...names.map((name, at) => step(name, steps[at])));
}

// ---- A period export ----

async function period(bytes) {
  const trustRoot = await trusted();
  if (trustRoot === null) return [verdict('bad', say('console-check-no-trust'))];
  const answer = await checkPeriod(bytes, trustRoot);
  return answer.holds ? held(answer, PERIOD_STEPS, whole(answer.shown)) : refused(answer, PERIOD_STEPS, say('console-period-fails'));
}

/** What a period shows, as `xinfu-verifier check` says it. */
function whole(shown) {
  const { first, last, from, to, accepted, refused, withdrawn, anchored, index, cosigned, waiting } = shown;
  const lines = [
    first === null ? say('period-empty') : say('period-holds', { first, last }),
    say('period-service', { service: named(shown.service) }),
    say('period-dates', { from: utc(from), to: utc(to) }),
    say('period-acts', { accepted, refused, withdrawn }),
    say('period-ledger', { last: anchored, index, time: utc(cosigned) }),
    say(shown.closed ? 'period-closed' : 'period-open'),
  ];
  return waiting > 0 ? [...lines, say('period-waiting', { waiting })] : lines;
}

// ---- A state proof by itself ----

async function state(bytes) {
  const trustRoot = await trusted();
  if (trustRoot === null) return [verdict('bad', say('console-check-no-trust'))];
  const { holds, steps, shown } = await checkState(bytes, trustRoot);
  const list = listed(STATE_STEPS, steps);
  if (steps.length === 1) return [verdict('waiting', say('console-check-not-checked')), list];
  if (!holds) return [verdict('bad', say('console-proof-fails')), list];
  const known = [
    [say('console-proof-key'), make('code', 'digest', shown.key)],
    [say('console-proof-index'), String(shown.index)],
    [say('console-receipt-time'), `${utc(Math.floor(shown.sealed / 1000))} UTC`],
    [say('console-proof-cosigned'), `${utc(shown.cosigned)} UTC`],
  ];
  const value = shown.value === null ? [] : [make('pre', 'bytes', shown.value)];
  return [verdict('good', say(shown.value === null ? 'console-proof-absent' : 'console-proof-holds')), facts(...known), ...value, list];
}

/** The trust root to check under: the node's, or one that the reader brought. */
async function trusted() {
  if (document.querySelector('[name="trust"]:checked').value === 'own') return root.files[0]?.text() ?? null;
  const answer = await fetch('/trust-root', { cache: 'no-store' });
  return answer.ok ? answer.text() : null;
}

function step(name, came) {
  const looks = came ? (came.ok ? 'good' : 'bad') : 'skipped';
  const mark = make('span', 'unseen', `${say(`console-check-step-is-${looks}`)} `);
  const detail = make('span', 'detail', came ? found(came) : '');
  return make('li', looks, mark, make('strong', '', say(`console-check-step-${name}`)), detail);
}

/** What a step has found, or why it does not hold, in the page's language. */
function found({ ok, said, values }) {
  return say(`console-check-${ok ? 'said' : 'why'}-${said}`, values.name ? { ...values, name: named(values.name) } : values);
}

/** What a bundle shows, as `xinfu-verifier check` says it. */
function told(shown) {
  const { official } = shown;
  const who = { title: label(official.title), duty: official.duty, index: official.number };
  const lines = [
    say('evidence-service', { name: named(shown.service) }),
    say(official.person ? 'evidence-official' : 'evidence-service-account', who),
  ];
  const links = shown.chains.flat().map(({ holder, by, number }) => say('evidence-accredited', { name: named(holder), by: named(by), index: number }));
  const tops = shown.chains.map((chain) => say('evidence-authority', { name: named(chain.at(-1).by) }));
  // Several accreditations may share what is above them.
  lines.push(...new Set([...links, ...tops]));
  const claims = (one) => one.claims.map((path) => path.map((segment) => segment ?? '*').join('.')).join(', ');
  const type = (one) => (one.type === null ? say('evidence-unreadable') : called('type', one.type));
  lines.push(...shown.presentations.map((one) => say('evidence-shown', { type: type(one), claims: claims(one) })));
  if (shown.presentations.length === 0) lines.push(say('evidence-nothing-shown'));
  lines.push(
    say('evidence-purpose', { purpose: called('purpose', shown.purpose), basis: shown.basis }),
    say('evidence-retention', { days: shown.retention_days }),
    shown.verdict === 'accepted' ? say('evidence-verdict-accepted') : say('evidence-verdict-refused', { reason: shown.verdict }),
    say('evidence-receipt', { number: shown.receipt.number, time: utc(shown.receipt.time) }),
    say(shown.moment.anchored ? 'evidence-anchored' : 'evidence-waiting', { index: shown.moment.index, time: utc(Math.floor(shown.moment.sealed_by / 1000)) }),
    say(holder(shown)),
    ...(shown.withdrawn ? withdrawn(shown.withdrawn) : []),
  );
  return lines;
}

function withdrawn({ signed, notarised, acknowledged }) {
  const lines = [say('evidence-withdrawn', { time: utc(signed) })];
  const noted = notarised && { name: named(notarised.by), index: notarised.index, time: utc(notarised.sealed_by) };
  lines.push(noted ? say('evidence-withdrawn-notarised', noted) : say('evidence-withdrawn-unproven'));
  if (!acknowledged)
    return [...lines, notarised ? say('evidence-withdrawn-silent', { time: utc(notarised.due) }) : say('evidence-withdrawn-no-answer')];
  const { time, number, index, deleted, kept, passed_on: isPassedOn } = acknowledged;
  const id = index === null ? 'evidence-withdrawn-acknowledged-waiting' : 'evidence-withdrawn-acknowledged';
  lines.push(say(id, { time: utc(time), number, index }));
  const kind = (name) => say(`evidence-kind-${name.replaceAll('_', '-')}`);
  const between = document.documentElement.lang === 'en' ? ', ' : '、';
  if (deleted.length) lines.push(say('evidence-withdrawn-deleted', { what: deleted.map(kind).join(between) }));
  for (const { what, basis, until } of kept) {
    const stays = until === undefined ? 'evidence-withdrawn-kept' : 'evidence-withdrawn-kept-until';
    lines.push(say(stays, { what: kind(what), basis, time: until === undefined ? '' : utc(until) }));
  }
  if (isPassedOn) lines.push(say('evidence-withdrawn-passed-on'));
  return lines;
}

function holder({ holder, holder_signs: signs }) {
  if (holder === 'signed') return signs ? 'evidence-holder-signed' : 'evidence-holder-signed-no-purpose';
  return holder === 'claimed' ? 'evidence-holder-claimed' : 'evidence-holder-unproven';
}

function named({ did, label: words }) {
  return words ? `${label(words)} (${did})` : did;
}

function label(words) {
  return document.documentElement.lang.startsWith('zh') ? words.zh : words.en;
}

function utc(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
}

// ---- A receipt by itself ----

/** What the ledger says of it. That it is signed by the service, a bundle shows; here only its digest is held against it. */
async function receipt(text, { iss, seq }) {
  const digest = await digestOf(text);
  const known = [[say('console-receipt-service'), iss], [say('console-receipt-number'), String(seq)], [say('console-receipt-digest'), make('code', 'digest', digest)]];
  const asked = new URLSearchParams({ did: iss, number: seq, lang: document.documentElement.lang });
  const answer = await fetch(`/console/receipts?${asked}`, { cache: 'no-store' });
  const said = answer.ok ? await answer.json() : { known: false };
  if (!said.known) return [verdict('bad', say('console-receipt-no-service')), facts(...known)];
  if (said.name) known[0] = [say('console-receipt-service'), `${said.name} (${iss})`];
  const [looks, id] = judge(said, seq, digest);
  if (said.anchor) {
    const link = make('a', '', String(said.anchor.index));
    link.href = `/console/transactions/${said.anchor.index}${location.search}`;
    known.push([say('console-receipt-anchor'), link], [say('console-receipt-range'), `${said.anchor.first} – ${said.anchor.last}`]);
    if (said.anchor.time) known.push([say('console-receipt-time'), `${said.anchor.time} UTC`]);
  }
  return [verdict(looks, say(id)), facts(...known), make('p', 'note', say('console-receipt-unsigned'))];
}

function judge({ last, anchor }, seq, digest) {
  if (!anchor) return seq > last ? ['waiting', 'console-receipt-waiting'] : ['waiting', 'console-receipt-unsure'];
  // The ledger holds the digest of the last receipt of each range; those before it are in the batch's root.
  if (seq !== anchor.last) return ['waiting', 'console-receipt-covered'];
  return anchor.head === digest ? ['good', 'console-receipt-exact'] : ['bad', 'console-receipt-other'];
}

async function digestOf(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

// ---- Choosing and dropping ----

files.addEventListener('change', () => {
  if (files.files[0]) check(files.files[0]);
});
root.addEventListener('change', () => {
  document.querySelector('[name="trust"][value="own"]').checked = true;
  if (files.files[0]) check(files.files[0]);
});
for (const choice of document.querySelectorAll('[name="trust"]')) {
  choice.addEventListener('change', () => {
    if (files.files[0]) check(files.files[0]);
  });
}
// Beside the place meant for it, a dropped file would be opened in the page's stead.
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.toggle('over', drop.contains(event.target));
});
document.addEventListener('dragleave', () => drop.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  const [file] = event.dataTransfer.files;
  if (!file) return;
  // So that another trust root checks the same file again.
  files.files = event.dataTransfer.files;
  check(file);
});
document.querySelector('#check').addEventListener('submit', (event) => event.preventDefault());
document.querySelector('#check').hidden = false;
