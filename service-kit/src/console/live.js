// Renews the parts of a page that are marked `data-live-part`, by asking for the same page again. Without this script, or
// while nobody answers, the page shows what it showed; with `data-live-from`, by asking for another one. When the page that comes is not marked `data-live` any more, there
// is nothing more to come.
const live = document.querySelector('[data-live]');
const every = Number(live?.dataset.live) || 5000;
let timer;

async function renew() {
  if (document.hidden) return;
  try {
    // So marked, it keeps nobody signed in who has gone away.
    const answer = await fetch(live.dataset.liveFrom ?? location.href, { cache: 'no-store', headers: { 'xinfu-renewal': '1' }, signal: AbortSignal.timeout(every) });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (!answer.ok || !page.querySelector('[data-live-part]')) throw new Error('no such page');
    const settled = [...document.querySelectorAll('[data-live-part]')].map((part) => replace(part, page));
    say(true);
    if (settled.every(Boolean) && !page.querySelector('[data-live]')) stop();
  } catch {
    say(false);
  }
}

/** Whether the part says now what the newer page says. */
function replace(part, page) {
  const newer = page.querySelector(`[data-live-part="${part.dataset.livePart}"]`);
  // No news is not read aloud.
  if (!newer || part.innerHTML === newer.innerHTML) return true;
  // Somebody is on a link of this part and would lose it.
  if (part.contains(document.activeElement)) return false;
  part.replaceChildren(...newer.childNodes);
  return true;
}

function say(isLive) {
  live.querySelector('[data-live-on]').hidden = !isLive;
  live.querySelector('[data-live-off]').hidden = isLive;
}

function stop() {
  clearInterval(timer);
  live.querySelectorAll('[data-live-on], [data-live-off]').forEach((told) => { told.hidden = true; });
}

if (live) {
  say(true);
  timer = setInterval(renew, every);
}
