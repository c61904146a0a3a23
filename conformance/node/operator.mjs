// Drives the operators' pages of an issuer and a verifier in Chromium as operators would: signing in, making an offer and a
// request with the keyboard alone, watching a wallet take the one and answer the other, handing over an official's
// signature, revoking what was issued; in both languages, at a desk's width and a phone's. Then as others would: without a
// session, with a form of another site. Needs Node.js 20, Chromium, the devnet's program as the wallet, and no package.
// usage: NODE_EXTRA_CA_CERTS=path/to/ca.pem node operator.mjs path/to/devnet.json path/to/devnet [FOLDER]
// With FOLDER, a picture of each page is left there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Eyes } from './eyes.mjs';

const [index, program, folder] = process.argv.slice(2);
const world = JSON.parse(fs.readFileSync(index, 'utf8'));
const home = path.dirname(index);
const KIND = 'resident-identity';
const desk = site(world.verifiers[0]);
const counter = site(world.issuers.find(({ id }) => id === 'public-security'));
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'xinfu-operator-'));

const eyes = await Eyes.open(folder);
const { browser } = eyes;
const text = (selector) => eyes.text(selector);
const count = (selector) => eyes.count(selector);
const address = () => eyes.address();
const focused = () => browser.evaluate('document.activeElement.id || document.activeElement.innerText');

/** A service and its operators' pages. */
function site({ url, admin_token_file: file }) {
  return { url, root: `${url}/admin/console`, token: fs.readFileSync(file, 'utf8').trim() };
}

/** The admin API's answer. */
async function admin({ url, token }, route) {
  const answer = await fetch(`${url}/admin/${route}`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  return answer.json();
}

/** The citizen's or the official's wallet, each command of which is a process. */
function wallet(vault, ...command) {
  const options = ['--vault', path.join(home, vault), '--passphrase-file', path.join(home, 'wallet.passphrase'), '--json'];
  return JSON.parse(execFileSync(program, ['wallet', '--', ...options, ...command], { encoding: 'utf8' }));
}

/** As of every page; and no token stands in an address. */
async function look(lang, name) {
  await eyes.look(lang, name);
  assert.ok([desk, counter].every(({ token }) => !browser.sent.some(({ url }) => url.includes(token))), 'no token in an address');
}

/** Goes on with Tab until the focus is there. */
async function tabTo(id) {
  for (let step = 0; step < 30; step += 1) {
    if ((await focused()) === id) return;
    await browser.press('Tab');
  }
  assert.fail(`Tab does not lead to ${id}`);
}

/** Presses Enter, and waits for the page that comes. */
async function enter() {
  const loaded = browser.loaded();
  await browser.press('Enter');
  await loaded;
}

async function signIn({ root, token }, name, lang) {
  await browser.open(`${root}/?lang=${lang}`);
  assert.match(await address(), /\/admin\/console\/sign-in/, 'without a session there is the way in');
  await browser.open(`${root}/sign-in?lang=${lang}`);
  await look(lang, `${name}-sign-in`);
  assert.equal(await focused(), 'token');
  await browser.type('not the token');
  await enter();
  assert.equal(await count('.warning'), 1);
  await tabTo('token');
  await browser.type(token);
  await enter();
  assert.equal(await address(), `/admin/console/?lang=${lang}`);
  assert.equal(await browser.evaluate('document.cookie'), '', 'no script reads the cookie');
}

/** Waits until a page that is open tells so by itself. */
async function becomes(word) {
  await browser.until(`document.querySelector('.standing .badge').innerText === ${JSON.stringify(word)}`);
}

/** An offer by keyboard alone, taken by the citizen's wallet while somebody looks. Answers with the credential's number. */
async function offered(subject, lang) {
  await browser.open(`${counter.root}/?lang=${lang}`);
  await browser.evaluate(`document.querySelector('#kind').value = ${JSON.stringify(KIND)}`);
  await tabTo('subject');
  await browser.type(subject);
  await enter();
  const code = await text('.told strong');
  await browser.until(`document.querySelector('figure.qr img').naturalWidth > 0`);
  await look(lang, 'offer-made');
  const link = await browser.evaluate(`document.querySelector('figure.qr code').textContent`);
  assert.match(link, /^openid-credential-offer:\/\//);
  const { credentials: before } = wallet('wallet', 'list');
  wallet('wallet', 'receive', link, '--tx-code', code);
  await becomes(lang === 'zh' ? '已领取' : 'taken');
  assert.equal(await count('figure.qr'), 0);
  assert.equal(await text('.told strong'), code, 'what was told once is still there');
  await browser.click('main > p a');
  assert.equal((await text('main')).includes(code), false, 'and is told on no other page');
  await look(lang, 'offer');
  const received = () =>
    wallet('wallet', 'list').credentials.find(({ number }) => !before.some((known) => known.number === number));
  // Services take none that does not stand on the ledger yet.
  for (let tries = 0; tries < 40 && !received().anchored; tries += 1) await new Promise((woken) => setTimeout(woken, 500));
  return received().number;
}

/** Finds the citizen's newest credential, suspends it and puts it back, as a person would. */
async function found(subject, lang) {
  await browser.open(`${counter.root}/credentials?lang=${lang}`);
  await look(lang, 'credentials');
  await browser.evaluate(`document.querySelector('form[role=search] input').focus()`);
  await browser.type(subject);
  await enter();
  assert.doesNotMatch(await address(), new RegExp(subject), 'whoever is looked for stands in no address');
  await look(lang, 'found');
  const { id } = (await admin(counter, `credentials?subject=${encodeURIComponent(subject)}`)).sort((one, other) => other.issued - one.issued)[0];
  await browser.click(`a[href*="/credentials/${id}"]`);
  await look(lang, 'credential');
  await change(id, 'suspend', lang, lang === 'zh' ? '已暂停' : 'suspended');
  await change(id, 'reinstate', lang, lang === 'zh' ? '有效' : 'valid');
  return id;
}

async function change(id, name, lang, word) {
  await browser.open(`${counter.root}/credentials/${id}?lang=${lang}`);
  await browser.click(`a[href*="/${name}"]`);
  await look(lang, name);
  await browser.click('form.sheet button');
  assert.equal(await text('.standing .badge'), word);
}

/**
 * Until no verdict reads the standing of before: a verifier fetches status lists by itself, also in the moment between two
 * changes, and keeps one for its `ttl`, here a second.
 */
const STANDING_SEEN_MS = 5_000;

function standingSeen() {
  return new Promise((seen) => setTimeout(seen, STANDING_SEEN_MS));
}

/** A request by keyboard alone, which the citizen's wallet answers with this credential while somebody looks. */
async function answered(number, lang, word, name) {
  await browser.open(`${desk.root}/?lang=${lang}`);
  await tabTo('case');
  await browser.type('2026-0001');
  await enter();
  assert.match(await address(), /\/admin\/console\/requests\/[\w-]{22}\?lang=/);
  assert.equal(await text('.standing .badge'), lang === 'zh' ? '待回应' : 'open');
  await browser.until(`document.querySelector('figure.qr img').naturalWidth > 0`);
  await look(lang, 'request-open');
  const link = await browser.evaluate(`document.querySelector('figure.qr a').href`);
  assert.match(link, /^openid4vp:\/\//);
  try {
    wallet('wallet', 'present', link, '--yes', '--select', `resident=${number}`);
  } catch (refused) {
    assert.match(String(refused.stdout), /credential\.status\.revoked/);
  }
  await becomes(word);
  assert.equal(await count('figure.qr'), 0);
  await browser.until(`document.querySelector('[data-live-on]').hidden`);
  assert.equal(await count('[data-live-part=outcome] .facts'), 1, 'the receipt is there');
  await look(lang, name);
}

/** A request that waits for an official, who signs in a wallet of their own. */
async function byOfficial(lang) {
  await browser.open(`${desk.root}/?lang=${lang}`);
  await tabTo('official');
  await browser.type('counter');
  await enter();
  const page = await address();
  assert.equal(await text('.standing .badge'), lang === 'zh' ? '等待签署' : 'waits for a signature');
  assert.equal(await count('figure.qr'), 0);
  await look(lang, 'request-unattested');
  const draft = await browser.evaluate(`fetch(document.querySelector('a[download]').href).then((answer) => answer.text())`);
  const file = path.join(work, 'to-attest.json');
  fs.writeFileSync(file, draft);
  const { attestation } = wallet('official-wallet', 'approve-request', file, '--credential', '1', '--yes');
  // Another's signature is refused in words, and changes nothing.
  await browser.evaluate(`document.querySelector('#attestation').value = 'e30.e30.e30'`);
  await browser.click('form.sheet button');
  assert.match(await text('main'), /duty\.malformed/);
  await look(lang, 'refusal');
  await browser.open(desk.url + page);
  // By a file, as it was written on the official's own machine.
  const signed = path.join(work, 'signed.jwt');
  fs.writeFileSync(signed, `${attestation}\n`);
  await browser.choose('#file', signed);
  await browser.until(`document.querySelector('#attestation').value.length > 100`);
  await browser.click('form.sheet button');
  assert.equal(await address(), page);
  assert.equal(await text('.standing .badge'), lang === 'zh' ? '待回应' : 'open');
  await browser.open(`${desk.root}/?lang=${lang}`);
  assert.ok((await count('tbody tr')) >= 2);
  await look(lang, 'requests');
  await browser.click('tbody tr:nth-child(1) a');
  assert.equal(await address(), page);
}

/** An act that an official is to order first: the page hands out what is to be signed, and nothing is done. */
async function toBeOrdered(id, lang) {
  await browser.open(`${counter.root}/credentials/${id}/suspend?lang=${lang}`);
  await browser.evaluate(`document.querySelector('details.part').open = true`);
  await browser.evaluate(`document.querySelector('#official').value = 'window-3'; document.querySelector('#basis').value = 'Sample Act'`);
  await browser.click('form.sheet > button');
  await look(lang, 'order-draft');
  const folder = fs.mkdtempSync(path.join(work, 'downloads-'));
  await browser.downloads(folder);
  await browser.evaluate(`document.querySelector('a[download]').click()`);
  const file = path.join(folder, 'to-attest.json');
  for (let tries = 0; tries < 50 && !fs.existsSync(file); tries += 1) await new Promise((woken) => setTimeout(woken, 100));
  const { to_attest: order } = JSON.parse(fs.readFileSync(file, 'utf8'));
  assert.deepEqual([order.duty, order.deed.act], ['window-3', 'suspend']);
  await browser.open(`${counter.root}/credentials/${id}?lang=${lang}`);
  assert.equal(await text('.standing .badge'), lang === 'zh' ? '有效' : 'valid');
}

/** Without scripts the pages say the same, by being loaded again. */
async function withoutScripts() {
  await browser.scripts(false);
  await browser.open(`${desk.root}/?lang=en`);
  await browser.click('tbody tr:nth-child(1) a');
  await browser.scripts(true);
  assert.equal(await text('.standing .badge'), 'open');
}

/** What others cannot do, with the operator's own browser: the cookie goes along, and nothing comes of it. */
async function others() {
  const before = await listed();
  await browser.open(`${world.issuers[0].url}/openapi.json`);
  const loaded = browser.loaded();
  await browser.evaluate(`(() => {
    const form = document.body.appendChild(document.createElement('form'));
    Object.assign(form, { method: 'post', action: ${JSON.stringify(`${desk.root}/requests`)} });
    Object.assign(form.appendChild(document.createElement('input')), { name: 'query', value: 'housing-fund-loan' });
    form.submit();
  })()`);
  await loaded;
  assert.match(await text('main'), /http\.origin/);
  assert.equal(await listed(), before);
  await browser.click('header form.operator button');
  assert.match(await address(), /sign-in/);
  await browser.open(`${desk.root}/?lang=en`);
  assert.match(await address(), /sign-in/);
}

async function listed() {
  await browser.open(`${desk.root}/?lang=en`);
  return text('tbody tr:nth-child(1)');
}

try {
  const subjects = await admin(counter, `subjects?credential_configuration_id=${KIND}`);
  for (const lang of ['en', 'zh']) {
    const subject = subjects.pop();
    // One browser at both, on one host: neither takes the other's cookie.
    await signIn(counter, 'issuer', lang);
    await signIn(desk, 'verifier', lang);
    const number = await offered(subject, lang);
    const credential = await found(subject, lang);
    await toBeOrdered(credential, lang);
    await standingSeen();
    await answered(number, lang, lang === 'zh' ? '已接受' : 'accepted', 'request-accepted');
    await change(credential, 'revoke', lang, lang === 'zh' ? '已吊销' : 'revoked');
    await look(lang, 'credential-revoked');
    await standingSeen();
    await answered(number, lang, lang === 'zh' ? '已拒绝' : 'refused', 'request-refused');
    assert.match(await text('main'), lang === 'zh' ? /凭证已被?吊销/ : /The credential has been revoked/);
    await byOfficial(lang);
    await withoutScripts();
    await others();
    await browser.open(`${counter.root}/?lang=${lang}`);
    await look(lang, 'offers');
    await browser.click('header form.operator button');
  }
  // What was refused on purpose, and nothing that the pages' policy forbids.
  assert.deepEqual(browser.complaints.filter((complaint) => !/status of 4\d\d/.test(complaint)), []);
  console.log('OPERATOR LANE OK');
} finally {
  await browser.stop();
  fs.rmSync(work, { recursive: true, force: true });
}
