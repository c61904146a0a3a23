// What a person sees of a page in Chromium, and what holds of every page of ours.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Browser } from './browser.mjs';

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** A browser and whoever looks at it; with `folder`, a picture of each page is left there. */
export class Eyes {
  #folder;

  static async open(folder) {
    const eyes = new Eyes();
    if (folder) fs.mkdirSync(folder, { recursive: true });
    eyes.#folder = folder;
    eyes.browser = await Browser.start(process.env.CHROMIUM ?? 'chromium');
    return eyes;
  }

  /** What somebody reads of the first element that a selector names; empty where there is none. */
  text(selector) {
    return this.browser.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`);
  }

  count(selector) {
    return this.browser.evaluate(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
  }

  address() {
    return this.browser.evaluate('location.pathname + location.search');
  }

  /**
   * A page is in its language, has all its texts, names each place for input, and nothing of it lies outside the window. The
   * language is that of `words`, where the rest quotes what others wrote.
   */
  async look(lang, name, words = 'main') {
    const { browser } = this;
    for (const size of [WIDE, PHONE]) {
      await browser.look(size);
      const wider = await browser.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      assert.ok(wider <= 0, `${name} in ${lang} is ${wider} px wider than a window of ${size.width}`);
      const file = `${name}-${lang}-${size === WIDE ? 'wide' : 'phone'}.png`;
      if (this.#folder) await browser.picture(path.join(this.#folder, file));
    }
    await browser.look(WIDE);
    assert.equal(await browser.evaluate('document.documentElement.lang'), lang === 'zh' ? 'zh-CN' : 'en');
    assert.doesNotMatch(await this.text('body'), /(console|operator|evidence|period)-[a-z]|\{ ?\$|undefined|Invalid Date/, name);
    assert.equal(/[\u4e00-\u9fff]{4}/.test(await this.text(words)), lang === 'zh', `${name} is not in ${lang}`);
    assert.equal(await this.count('main h1'), 1);
    const unnamed = await browser.evaluate(`[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button')]
      .filter((one) => !one.labels?.length && !one.ariaLabel && !one.innerText).length`);
    assert.equal(unnamed, 0, `${name} has inputs without a name`);
  }
}
