// The check of evidence that runs in a browser, on every bundle that conformance/tests/bundle/cases.rs makes, and on
// bundles with one byte changed. Needs nothing but Node.js 20, whose WebCrypto is that of browsers.
// usage: node bundles.mjs path/to/check.js path/to/bundles [BUNDLE TRUST-ROOT]...
// Each BUNDLE, with the TRUST-ROOT that is believed, is a real one: it must hold.
import fs from 'node:fs';
import path from 'node:path';
import { beforeDigest, end, failing, forged, isTold, load } from './checker.mjs';

const [script, folder, ...real] = process.argv.slice(2);
const { checkBundle, STEPS } = await load(script);
const read = (name) => fs.readFileSync(path.join(folder, name));
const check = (bundle, trustRoot) => checkBundle(new Uint8Array(bundle), trustRoot.toString());
const wrong = [];

/** What is shown of the holder and of a withdrawal, or the code; the steps must say the same. */
function found(answer) {
  const { holds, code, steps, shown } = answer;
  if (!isTold(answer, STEPS)) return `steps that say otherwise: ${JSON.stringify(steps)}`;
  if (!holds) return code;
  const { holder, withdrawn } = shown;
  const came = withdrawn ? ['withdrawn', ...['notarised', 'acknowledged'].filter((name) => withdrawn[name])] : [];
  return [holder, ...came].join(', ');
}

const cases = JSON.parse(read('cases.json'));
for (const { name, file, trust_root: trustRoot, expected } of cases) {
  const came = found(await check(read(file), read(trustRoot)));
  if (came !== expected) wrong.push(`${name}: ${came}, not ${expected}`);
}

const EVERY = 101;
let changes = 0;
const whole = cases.find(({ name }) => name === 'full.json');
const bundle = read(whole.file);
for (const [way, bit] of [0x01, 0x20, 0x80].entries()) {
  for (let at = way * 37; at < beforeDigest(bundle).length; at += EVERY) {
    changes += 1;
    const came = await check(await forged(bundle, at, bit), read(whole.trust_root));
    if (came.holds) wrong.push(`byte ${at} of ${whole.name} changed by ${bit}, and it holds`);
  }
}

const unreadable = await check(bundle, 'log nobody\n');
if (unreadable.holds || unreadable.steps.at(-1).name !== 'trust-root')
  wrong.push('a trust root that is none is believed');

// A browser of before 2025 refuses the algorithm; that says nothing about the bundle.
crypto.subtle.importKey = async () => {
  throw new DOMException('unknown', 'NotSupportedError');
};
const tooOld = await check(bundle, read(whole.trust_root));
if (tooOld.code !== null || tooOld.steps.at(-1).name !== 'trust-root')
  wrong.push('a browser that cannot check blames the bundle');
delete crypto.subtle.importKey;

wrong.push(...(await failing(check, real)));
end(wrong, `BUNDLES OK ${cases.length} and ${real.length / 2} real ones come to what they must, ${changes} changes refused`);
