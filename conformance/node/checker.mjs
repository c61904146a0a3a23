// What the runs of the checks that browsers make have in common: `bundles.mjs` and `periods.mjs`.
import fs from 'node:fs';

const messages = fs.readFileSync(new URL('../../schemas/messages/en.ftl', import.meta.url), 'utf8');
const isText = (id) => messages.includes(`\n${id} = `);

/** The script as a browser takes it: a module, whatever the name of its file. */
export const load = (script) => import(`data:text/javascript,${encodeURIComponent(fs.readFileSync(script, 'utf8'))}`);

/** What stands in a file before its digest. */
export const beforeDigest = (file) => file.subarray(0, file.lastIndexOf(',"sha256":"'));

/** The file with one byte changed, and its digest made anew, as a forger would. */
export async function forged(file, at, bit) {
  const changed = Uint8Array.from(beforeDigest(file), (byte, place) => (place === at ? byte ^ bit : byte));
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', changed)).toString('base64url');
  return Buffer.concat([changed, Buffer.from(`,"sha256":"${digest}"}\n`)]);
}

/** Whether the steps say what the answer says: in their order, up to the first that does not hold, and in words of the pages. */
export function isTold({ holds, code, steps }, names) {
  const areInOrder = steps.every(
    ({ name, ok, detail, said }, at) =>
      name === names[at] &&
      typeof detail === 'string' &&
      ok === (holds || at < steps.length - 1) &&
      isText(`console-check-step-${name}`) &&
      isText(`console-check-${ok ? 'said' : 'why'}-${said}`),
  );
  return areInOrder && holds === (steps.length === names.length && code === null);
}

/** Checks files of a running system, each followed by the trust root that is believed; gives those that do not hold. */
export async function failing(check, real) {
  const wrong = [];
  for (let at = 0; at + 1 < real.length; at += 2) {
    const came = await check(fs.readFileSync(real[at]), fs.readFileSync(real[at + 1]));
    if (!came.holds) wrong.push(`${real[at]}: ${JSON.stringify(came.steps.at(-1))}`);
  }
  return wrong;
}

/** Says what went wrong, else that nothing did; ends the process. */
export function end(wrong, sound) {
  console.log(wrong.join('\n') || sound);
  process.exit(wrong.length ? 1 : 0);
}
