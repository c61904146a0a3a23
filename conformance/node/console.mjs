// Drives the ledger node's console in Chromium as a person would: every page in both languages, by links, keyboard and
// forms; good and bad evidence, and what the page says of it. Needs Node.js 20 and Chromium, and no package.
// usage: node console.mjs path/to/devnet.json [FOLDER]
// With FOLDER, a picture of each page is left there, as wide as a desk's screen and as a phone's.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Eyes } from './eyes.mjs';

const [index, folder] = process.argv.slice(2);
const world = JSON.parse(fs.readFileSync(index, 'utf8'));
const home = path.dirname(index);
const base = world.ledger.url;
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'xinfu-console-'));

const PAGES = [
  { path: '/console/', name: 'overview', title: { en: 'Overview', zh: '概览' } },
  { path: '/console/transactions', name: 'transactions', title: { en: 'Transactions', zh: '交易' } },
  { path: '/console/dids', name: 'dids', title: { en: 'DIDs', zh: 'DID' } },
  { path: '/console/accreditations', name: 'accreditations', title: { en: 'Accreditations and duties', zh: '授权与岗位' } },
  { path: '/console/statistics', name: 'statistics', title: { en: 'Sharing by purpose and department', zh: '按用途和部门统计共享' } },
  { path: '/console/check', name: 'check', title: { en: 'Check a file', zh: '检查文件' } },
];

const eyes = await Eyes.open(folder);
const { browser } = eyes;
const text = (selector) => eyes.text(selector);
const count = (selector) => eyes.count(selector);
const address = () => eyes.address();
const look = (...page) => eyes.look(...page);

async function everyPage(lang) {
  await browser.open(`${base}/console/?lang=${lang}`);
  for (const { path: place, name, title } of PAGES) {
    await browser.click(`nav.places a[href="${place}?lang=${lang}"]`);
    assert.equal(await text('h1'), title[lang]);
    assert.equal(await text('nav.places [aria-current]'), await text(`nav.places a[href="${place}?lang=${lang}"]`));
    await look(lang, name);
  }
  // From the log to an entry, from there to whoever signed it, from there to a duty.
  await browser.open(`${base}/console/transactions?lang=${lang}`);
  await browser.evaluate(`document.querySelector('#kind').value = 'delegate'`);
  await browser.click('form button');
  assert.match(await address(), /kind=delegate/);
  assert.ok((await count('tbody tr')) >= 1);
  await browser.click('tbody td a.number');
  assert.match(await text('.lead'), lang === 'zh' ? /委派岗位/ : /Duty given/);
  assert.match(await text('main'), lang === 'zh' ? /在日志中/ : /in the log/);
  await look(lang, 'transaction');
  const sender = await text('main a[href*="/console/dids?did="]');
  await browser.click('main a[href*="/console/dids?did="]');
  assert.equal(await text('h1'), sender);
  await look(lang, 'did');
  await browser.click('a[href*="/console/duty?"]');
  await look(lang, 'duty');
  // A box of the picture leads somewhere, too.
  await browser.open(`${base}/console/accreditations?lang=${lang}`);
  const boxes = await count('svg.branches a');
  assert.ok(boxes >= 7 && boxes === (await count('.tree a')), 'the picture and the list say the same');
  await browser.click('svg.branches a.duty rect');
  assert.match(await address(), /\/console\/duty\?/);
  // Older entries, and back to the newest.
  await browser.open(`${base}/console/transactions?lang=${lang}`);
  const newest = await text('tbody td a.number');
  await browser.click('a[rel=next]');
  assert.notEqual(await text('tbody td a.number'), newest);
  await browser.click('nav.pages a');
  assert.equal(await text('tbody td a.number'), newest);
  await statistics(lang);
  // The other language, of this very page.
  const other = lang === 'zh' ? 'en' : 'zh';
  await browser.open(`${base}/console/transactions?kind=anchor&lang=${lang}`);
  await browser.click(`nav.languages a[href*="lang=${other}"]`);
  assert.match(await address(), new RegExp(`kind=anchor.*lang=${other}`));
}

/** What was shared: each plot says the same as the table below it, or the page says why there is none. */
async function statistics(lang) {
  await browser.open(`${base}/console/statistics?lang=${lang}`);
  for (const days of [7, 30, 364]) {
    await browser.click(`nav.spans a[href*="days=${days}&"]`);
    assert.match(await address(), new RegExp(`days=${days}&lang=${lang}`));
    const plots = await count('figure.amounts');
    // A devnet that has just started has no day that is over.
    if (plots === 0) assert.match(await text('main .notice'), lang === 'zh' ? /尚无任何一天的计数/ : /No day has been counted yet/);
    for (let place = 0; place < plots; place += 1) {
      const figure = `[...document.querySelectorAll('figure.amounts')][${place}]`;
      await browser.evaluate(`${figure}.querySelector('details').open = true`);
      const listed = await browser.evaluate(`[...${figure}.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText.trim()).join(': ')).reverse()`);
      const drawn = await browser.evaluate(`[...${figure}.querySelectorAll('svg g title')].map((title) => title.textContent)`);
      assert.deepEqual(drawn, listed.filter((row) => !row.endsWith(': –')));
      assert.doesNotMatch(drawn.join(), /: [0-9](,|$)/, 'a small number is told');
    }
  }
}

async function byKeyboard() {
  await browser.open(`${base}/console/?lang=en`);
  const focused = () => browser.evaluate('document.activeElement.textContent.trim()');
  await browser.press('Tab');
  assert.equal(await focused(), 'Skip to the content');
  await browser.press('Enter');
  assert.equal(await browser.evaluate('document.activeElement.id'), 'content');
  await browser.open(`${base}/console/?lang=en`);
  for (let step = 0; step < 4; step += 1) await browser.press('Tab');
  assert.equal(await focused(), 'Transactions');
  const loaded = browser.loaded();
  await browser.press('Enter');
  await loaded;
  assert.equal(await text('h1'), 'Transactions');
}

/** The head moves on while somebody looks, and all of it is read without scripts, too. */
async function live() {
  await browser.open(`${base}/console/?lang=en`);
  assert.equal(await browser.evaluate(`document.querySelector('[data-live-on]').hidden`), false);
  const before = Number(await text('.numbers .value'));
  await browser.evaluate(`fetch('/notarise', { method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ digest: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }) }).then((answer) => answer.status)`);
  await browser.until(`Number(document.querySelector('.numbers .value').innerText) > ${before}`);
  await browser.scripts(false);
  for (const { path: place } of PAGES) await browser.open(`${base}${place}?lang=en`);
  await browser.scripts(true);
  assert.match(await browser.evaluate(`document.querySelector('noscript').textContent`), /JavaScript/);
}

// ---- Check a file ----

function written(name, content) {
  const file = path.join(work, name);
  fs.writeFileSync(file, content);
  return file;
}

/** The bundle with something else in it, and its digest made anew, as a forger would. */
function forged(bundle, change) {
  const said = change(bundle.slice(0, bundle.lastIndexOf(',"sha256":"')));
  return `${said},"sha256":"${createHash('sha256').update(said).digest('base64url')}"}\n`;
}

async function drop(file) {
  await browser.evaluate(`document.querySelector('#result').removeAttribute('data-done')`);
  await browser.choose('#file', file);
  await browser.until(`document.querySelector('#result').hasAttribute('data-done')`);
  return { said: await text('#result .verdict'), all: await text('#result'), bad: await count('#result .steps .bad'), good: await count('#result .steps .good') };
}

async function checks(lang) {
  await browser.open(`${base}/console/check?lang=${lang}`);
  const bundle = fs.readFileSync(path.join(home, 'evidence.json'), 'utf8');
  const { receipt } = JSON.parse(bundle);
  const [HOLDS, FAILS] = lang === 'zh' ? ['证据成立。', '证据不成立。'] : ['The evidence holds.', 'The evidence does NOT hold.'];

  const good = await drop(written('good.json', bundle));
  assert.equal(good.said, HOLDS, good.all);
  assert.deepEqual([good.good, good.bad], [11, 0]);
  assert.match(good.all, lang === 'zh' ? /住房公积金中心/ : /Housing Fund Centre/);
  assert.match(good.all, lang === 'zh' ? /用途：住房公积金贷款/ : /What for: Housing fund loan/);
  const isInEnglish = `[...document.querySelectorAll('#result .steps .detail')].map((one) => !/[\\u4e00-\\u9fff]/.test(one.innerText))`;
  assert.deepEqual(await browser.evaluate(isInEnglish), Array(11).fill(lang === 'en'), 'steps are told in the language of the page');
  await look(lang, 'check-good');

  const changed = await drop(written('changed.json', bundle.replace(/"receipt":"e/, '"receipt":"f')));
  assert.equal(changed.said, FAILS, changed.all);
  assert.match(changed.all, /evidence\.changed/);
  assert.deepEqual([changed.good, changed.bad], [1, 1]);

  // One letter of the receipt's signature, under a digest that fits.
  const forgery = await drop(written('forged.json', forged(bundle, (said) => said.replace(receipt, altered(receipt)))));
  assert.equal(forgery.said, FAILS, forgery.all);
  assert.match(forgery.all, /evidence\./);
  assert.equal(forgery.bad, 1);
  await look(lang, 'check-bad');

  // A sharing that was taken back is told with what the service says it deleted.
  const withdrawn = await drop(path.join(home, 'evidence-withdrawn.json'));
  assert.equal(withdrawn.said, HOLDS, withdrawn.all);
  assert.match(withdrawn.all, lang === 'zh' ? /持有人已撤回此次共享/ : /The holder took this sharing back/);
  assert.match(withdrawn.all, lang === 'zh' ? /据其所述已删除：信息项的值、/ : /Deleted, by its word: values of claims, /);
  // The law by which something stays is quoted in the words of the service.
  await look(lang, 'check-withdrawn', '#result .steps');

  // What the ledger holds for a key, and that it holds nothing; the same with another value under it.
  for (const [key, says] of [['members', lang === 'zh' ? /存有此内容/ : /The ledger holds this/], ['did/nobody', lang === 'zh' ? /没有内容/ : /holds nothing/]]) {
    const proof = await (await fetch(`${base}/proofs/state?key=${key}`)).text();
    const held = await drop(written('state.json', proof));
    assert.match(held.said, says, held.all);
    assert.deepEqual([held.good, held.bad], [3, 0]);
    if (key === 'members') await look(lang, 'check-state');
    const turned = JSON.parse(proof);
    turned.value = turned.value === null ? 'e30' : null;
    const lie = await drop(written('lie.json', JSON.stringify(turned)));
    assert.equal(lie.said, lang === 'zh' ? '证明不成立。' : 'The proof does NOT hold.', lie.all);
    assert.deepEqual([lie.good, lie.bad], [2, 1]);
  }

  // All that a service did in a period is told with how far the ledger vouches for it; with a receipt cut out, at which place.
  const period = fs.readFileSync(path.join(home, 'period.json'), 'utf8');
  const { entries } = JSON.parse(period);
  const whole = await drop(written('period.json', period));
  assert.match(whole.said, lang === 'zh' ? /^该期间完整：第 1 至 \d+ 号回执/ : /^The period is whole: receipts 1 to \d+/, whole.all);
  assert.deepEqual([whole.good, whole.bad], [6, 0]);
  assert.match(whole.all, lang === 'zh' ? /服务：住房公积金中心/ : /Service: Housing Fund Centre/);
  await look(lang, 'check-period');
  const holed = await drop(written('holed.json', forged(period, (said) => said.replace(`"${entries[2]}",`, ''))));
  assert.equal(holed.said, lang === 'zh' ? '该期间不成立。' : 'The period does NOT hold.', holed.all);
  assert.match(holed.all, /receipt\.misplaced/);
  assert.match(holed.all, lang === 'zh' ? /位于第 3 号回执/ : /At receipt 3/);
  assert.deepEqual([holed.good, holed.bad], [3, 1]);
  await look(lang, 'check-period-bad');

  // Whoever brings a trust root of another ledger is told that this one is not it.
  const other = fs.readFileSync(new URL('../vectors/checkpoint/trust-root.txt', import.meta.url), 'utf8');
  await drop(path.join(work, 'good.json'));
  await browser.evaluate(`document.querySelector('#result').removeAttribute('data-done')`);
  await browser.choose('#root', written('other.policy', other));
  await browser.until(`document.querySelector('#result').hasAttribute('data-done')`);
  assert.equal(await text('#result .verdict'), FAILS);
  // One that is none says nothing of the file.
  await browser.evaluate(`document.querySelector('#result').removeAttribute('data-done')`);
  await browser.choose('#root', written('none.policy', 'log nobody\n'));
  await browser.until(`document.querySelector('#result').hasAttribute('data-done')`);
  assert.match(await text('#result .verdict'), lang === 'zh' ? /尚未检查/ : /Nothing was checked/);
  await browser.open(`${base}/console/check?lang=${lang}`);

  const [known, unlike, nonsense] = [await drop(written('receipt.jwt', `${receipt}\n`)), await drop(written('unlike.jwt', altered(receipt))), await drop(written('nonsense.txt', 'hello'))];
  // The ledger names the last receipt of each range; the devnet anchors them one by one, unless it is in haste.
  if (/正是这份回执|exactly this receipt/.test(known.said)) assert.match(unlike.said, lang === 'zh' ? /与此不同/ : /another receipt of this number/);
  else assert.match(known.said, lang === 'zh' ? /这一段编号/ : /receipts of this range/);
  assert.match(nonsense.said, lang === 'zh' ? /不是证据包、期间导出/ : /no bundle of evidence, no period export/);

  const script = await browser.evaluate(`fetch(document.querySelector('a[download]').href).then((answer) => answer.text())`);
  assert.equal(await text('#digest'), createHash('sha256').update(script).digest('hex'));
  assert.deepEqual(browser.sent.filter(({ method, url }) => method !== 'GET' || !url.startsWith(base)), [], 'a check sends nothing');
}

/** The same with the last letter but one changed: of the last, some bits count for nothing. */
function altered(jws) {
  const at = jws.length - 10;
  return `${jws.slice(0, at)}${jws[at] === 'A' ? 'B' : 'A'}${jws.slice(at + 1)}`;
}

try {
  for (const lang of ['en', 'zh']) await everyPage(lang);
  await byKeyboard();
  await live();
  browser.sent.length = 0;
  for (const lang of ['en', 'zh']) await checks(lang);
  // Neither an exception nor anything that the pages' policy forbids.
  assert.deepEqual(browser.complaints, []);
  console.log('CONSOLE LANE OK');
} finally {
  await browser.stop();
  fs.rmSync(work, { recursive: true, force: true });
}
