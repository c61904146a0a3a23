// The check of periods that runs in a browser, on every export that conformance/tests/period.rs makes, and on one with one byte
// changed at a time. Needs nothing but Node.js 20, whose WebCrypto is that of browsers.
// usage: node periods.mjs path/to/check.js path/to/periods [PERIOD TRUST-ROOT]...
// Each PERIOD, with the TRUST-ROOT that is believed, is a real one: it must hold.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { beforeDigest, end, failing, forged, isTold, load } from './checker.mjs';

const [script, folder, ...real] = process.argv.slice(2);
const { checkPeriod, PERIOD_STEPS } = await load(script);
const read = (name) => fs.readFileSync(path.join(folder, 'cases', name));
const check = (period, trustRoot) => checkPeriod(new Uint8Array(period), trustRoot.toString());
const trustRoot = read('trust-root.txt');
const wrong = [];

/** What it shows, or code and place; the steps must say the same. */
function found(answer) {
  const { holds, code, place, steps, shown } = answer;
  assert.ok(isTold(answer, PERIOD_STEPS), JSON.stringify(steps));
  if (!holds) return { code, ...(code === 'period.changed' ? {} : { place }) };
  const { first, last, waiting, closed, accepted, refused, withdrawn } = shown;
  const places = first === null ? [] : Array.from({ length: last - first + 1 }, (_, at) => first + at);
  assert.equal(accepted + refused + withdrawn, places.length, 'every entry is of one kind');
  return { shown: `${places.join(' ')}; ${waiting} wait; ${closed ? 'closed' : 'open'}` };
}

const cases = JSON.parse(fs.readFileSync(path.join(folder, 'cases.json')));
for (const { file, expected } of cases) {
  const came = found(await check(read(file), trustRoot));
  if (JSON.stringify(came) !== JSON.stringify(expected))
    wrong.push(`${file}: ${JSON.stringify(came)}, not ${JSON.stringify(expected)}`);
}

const EVERY = 37;
const whole = read('holds-middle.json');
const said = beforeDigest(whole);
// Which period is asked for, is the reader's to compare: it may be one second longer, and be the whole of that.
const [from, to] = ['"from":', '"to":'].map((name) => said.indexOf(name));
const isBound = (at) => (from < at && at < said.indexOf(',', from)) || (to < at && at < said.indexOf(',', to));
let changes = 0;
for (const [way, bit] of [0x01, 0x20, 0x80].entries()) {
  for (let at = way * 13; at < said.length; at += EVERY) {
    if (isBound(at)) continue;
    changes += 1;
    const { holds } = await check(await forged(whole, at, bit), trustRoot);
    if (holds) wrong.push(`byte ${at} changed by ${bit}, and it holds`);
  }
}

const unreadable = await check(whole, 'log nobody\n');
if (unreadable.holds || unreadable.code !== null || unreadable.steps.length !== 1)
  wrong.push('a trust root that is none is believed');

wrong.push(...(await failing(check, real)));
end(wrong, `PERIODS OK ${cases.length} and ${real.length / 2} real ones come to what they must, ${changes} changes refused`);
