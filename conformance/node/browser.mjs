// Drives Chromium over its debugging pipe (the DevTools protocol, file descriptors 3 and 4): no package, no port.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** How long anything may take. */
const PATIENCE = 20_000;

export class Browser {
  #process;
  #profile;
  #session;
  #waiting = new Map();
  #heard = new Map();
  #number = 0;
  /** What pages complained of: exceptions, errors in the console, violations of their policy. */
  complaints = [];
  /** What pages asked for: method and address of each request. */
  sent = [];

  /** Starts a browser with one empty page. */
  static async start(program) {
    const browser = new Browser();
    browser.#profile = fs.mkdtempSync(path.join(os.tmpdir(), 'xinfu-browser-'));
    const flags = ['--headless=new', '--remote-debugging-pipe', '--no-first-run', '--disable-gpu', '--hide-scrollbars',
      '--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage',
      // The devnet's authority is its own.
      '--ignore-certificate-errors', `--user-data-dir=${browser.#profile}`];
    // As root, as in a container, there is no sandbox to be had; what is visited is ours.
    if (process.getuid?.() === 0) flags.push('--no-sandbox');
    browser.#process = spawn(program, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    browser.#listen(browser.#process.stdio[4]);
    const { targetId } = await browser.#call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.#call('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'DOM', 'Network']) await browser.call(`${domain}.enable`);
    return browser;
  }

  #listen(pipe) {
    let rest = '';
    pipe.setEncoding('utf8');
    pipe.on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      messages.forEach((message) => this.#take(JSON.parse(message)));
    });
  }

  #take({ id, result, error, method, params }) {
    if (id !== undefined) {
      const { resolve, reject } = this.#waiting.get(id) ?? {};
      this.#waiting.delete(id);
      if (error) reject?.(new Error(error.message));
      else resolve?.(result);
      return;
    }
    if (method === 'Runtime.exceptionThrown') this.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Log.entryAdded' && params.entry.level === 'error') this.complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`);
    if (method === 'Network.requestWillBeSent') this.sent.push({ method: params.request.method, url: params.request.url });
    this.#heard.get(method)?.forEach((told) => told(params));
    this.#heard.delete(method);
  }

  #call(method, params = {}, sessionId = undefined) {
    const id = ++this.#number;
    const answered = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return within(answered, method);
  }

  /** Calls the page's side of the protocol. */
  call(method, params) {
    return this.#call(method, params, this.#session);
  }

  #next(method) {
    return within(new Promise((told) => this.#heard.set(method, [...(this.#heard.get(method) ?? []), told])), method);
  }

  /** Resolves when the next page is there with all that it loads: to be asked for before what makes it come. */
  loaded() {
    return this.#next('Page.loadEventFired');
  }

  /** Opens an address and waits until the page is there with all that it loads. */
  async open(url) {
    const loaded = this.loaded();
    const { errorText } = await this.call('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  /** Follows a link or presses a button as a person would, and waits for the page that comes. */
  async click(selector) {
    const loaded = this.loaded();
    const { x, y } = await this.evaluate(`(() => {
      const found = document.querySelector(${JSON.stringify(selector)});
      if (!found) throw new Error('nothing at ' + ${JSON.stringify(selector)});
      found.scrollIntoView({ block: 'center', inline: 'center' });
      const box = found.getClientRects()[0];
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    })()`);
    for (const type of ['mousePressed', 'mouseReleased']) {
      await this.call('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
    }
    await loaded;
  }

  /** Presses a key once. */
  async press(key, code = key) {
    const windowsVirtualKeyCode = { Tab: 9, Enter: 13 }[key];
    const text = key === 'Enter' ? '\r' : undefined;
    await this.call('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', key, code, text, windowsVirtualKeyCode });
    await this.call('Input.dispatchKeyEvent', { type: 'keyUp', key, code, windowsVirtualKeyCode });
  }

  /** Types a text where the focus is. */
  async type(text) {
    await this.call('Input.insertText', { text });
  }

  /** The value of an expression in the page. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression) {
    const end = Date.now() + PATIENCE;
    while (!(await this.evaluate(expression))) {
      if (Date.now() > end) throw new Error(`never came true: ${expression}`);
      await new Promise((woken) => setTimeout(woken, 100));
    }
  }

  /** Puts a file into a file input, as a person's choice does. */
  async choose(selector, file) {
    const { root } = await this.call('DOM.getDocument');
    const { nodeId } = await this.call('DOM.querySelector', { nodeId: root.nodeId, selector });
    await this.call('DOM.setFileInputFiles', { nodeId, files: [path.resolve(file)] });
  }

  /** Where files go that pages hand out. */
  async downloads(folder) {
    await this.#call('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: path.resolve(folder) });
  }

  /** How wide the window is, and whether the reader's system is dark. */
  async look({ width, height, dark = false }) {
    await this.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await this.call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
  }

  /** Whether scripts run. */
  async scripts(run) {
    await this.call('Emulation.setScriptExecutionDisabled', { value: !run });
  }

  /** A picture of the whole page, as a PNG. */
  async picture(file) {
    const { cssContentSize } = await this.call('Page.getLayoutMetrics');
    const clip = { x: 0, y: 0, width: cssContentSize.width, height: Math.min(cssContentSize.height, 8000), scale: 1 };
    const { data } = await this.call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });
    fs.writeFileSync(file, Buffer.from(data, 'base64'));
  }

  async stop() {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#call('Browser.close').catch(() => {});
    const killing = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(killing);
    fs.rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${PATIENCE / 1000} s`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
