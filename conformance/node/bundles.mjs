// The check of evidence that runs in a browser, on every bundle that conformance/tests/bundle/cases.rs makes, and on
// bundles with one byte changed. Needs nothing but Node.js 20, whose WebCrypto is that of browsers.
// usage: node bundles.mjs path/to/check.js path/to/bundles [BUNDLE TRUST-ROOT]...
// Each BUNDLE, with the TRUST-ROOT that is believed, is a real one: it must hold.
import fs from 'node:fs';
import path from 'node:path';

const [script, folder, ...real] = process.argv.slice(2);
// As a browser takes it: a module, whatever the name of its file.
const { checkBundle, STEPS } = await import(
  `data:text/javascript,${encodeURIComponent(fs.readFileSync(script, 'utf8'))}`
);
const read = (name) => fs.readFileSync(path.join(folder, name));
const check = (bundle, trustRoot) => checkBundle(new Uint8Array(bundle), trustRoot.toString());
const wrong = [];
const texts = fs.readFileSync(new URL('../../schemas/messages/en.ftl', import.meta.url), 'utf8');
const isText = (id) => texts.includes(`\n${id} = `);

/** What is shown of the holder and of a withdrawal, or the code; the steps must say the same. */
function found({ holds, code, steps, shown }) {
  const isTold = steps.every(
    ({ name, ok, detail, said }, at) =>
      name === STEPS[at] &&
      typeof detail === 'string' &&
      ok === (holds || at < steps.length - 1) &&
      // What holds, pages say in other languages, too.
      (ok ? isText(`console-check-said-${said}`) : said === null),
  );
  if (!isTold || holds !== (steps.length === STEPS.length && code === null))
    return `steps that say otherwise: ${JSON.stringify(steps)}`;
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

/** The bundle with one byte changed, and its digest made anew, as a forger would. */
async function forged(bundle, at, bit) {
  const said = bundle.subarray(0, bundle.lastIndexOf(',"sha256":"'));
  const changed = Uint8Array.from(said, (byte, place) => (place === at ? byte ^ bit : byte));
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', changed)).toString('base64url');
  return Buffer.concat([changed, Buffer.from(`,"sha256":"${digest}"}\n`)]);
}
const EVERY = 101;
let changes = 0;
const whole = cases.find(({ name }) => name === 'full.json');
const bundle = read(whole.file);
for (const [way, bit] of [0x01, 0x20, 0x80].entries()) {
  for (let at = way * 37; at < bundle.lastIndexOf(',"sha256":"'); at += EVERY) {
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

for (let at = 0; at + 1 < real.length; at += 2) {
  const came = await check(fs.readFileSync(real[at]), fs.readFileSync(real[at + 1]));
  if (!came.holds) wrong.push(`${real[at]}: ${JSON.stringify(came.steps.at(-1))}`);
}

console.log(
  wrong.join('\n') ||
    `BUNDLES OK ${cases.length} and ${real.length / 2} real ones come to what they must, ${changes} changes refused`,
);
process.exit(wrong.length ? 1 : 0);
