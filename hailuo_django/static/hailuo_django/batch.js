// Follows a batch that is under way: asks for its page now and then, and shows what is new
// (admin/confirming.py). A little later each time that nothing is, much later in a tab that nobody
// looks at. Once the batch is finished, the whole page is loaded anew.

const PAUSE = 3; // seconds, and so are those below
const SLOWER = 1.1;
const SLOWEST = 30;
const HIDDEN = 60;
const SEEN_AGAIN = 1;
const NAMES = ["progress", "worker", "outcomes"];
const PARTS = ["#content h1", ...NAMES.map((name) => `[data-hailuo-${name}]`)];

const bar = document.querySelector("progress");
const hint = document.querySelector("[data-hailuo-by-hand]");
const announcer = document.querySelector("[data-hailuo-announcer]");
const words = document.querySelector("[data-hailuo-progress]");
const tenths = () => Math.floor((10 * bar.value) / bar.max);

let pause = PAUSE;
let timer = 0;

function plan(seconds) {
  clearTimeout(timer);
  timer = setTimeout(look, 1000 * (document.hidden ? Math.max(seconds, HIDDEN) : seconds));
}

function show(page) {
  const [value, told] = [bar.value, tenths()];
  bar.value = page.querySelector("progress").value;
  document.title = page.title;
  for (const part of PARTS) {
    const [old, fresh] = [document, page].map((where) => where.querySelector(part));
    // A site's own templates may have their heading elsewhere, or none.
    if (old && fresh && !old.isEqualNode(fresh)) old.replaceChildren(...fresh.childNodes);
  }
  // Whoever listens is told ten times, and not every few seconds.
  if (tenths() !== told) announcer.textContent = words.textContent;
  pause = bar.value === value ? Math.min(pause * SLOWER, SLOWEST) : PAUSE;
}

async function look() {
  timer = 0;
  let response;
  try {
    response = await fetch(location.href, { redirect: "manual" });
  } catch {
    plan(pause); // the site will be there again
    return;
  }
  if (response.status >= 500 || response.status === 429) plan(SLOWEST);
  else if (!response.ok) hint.hidden = false; // signed out, or no right any more
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.querySelector("progress")) location.reload();
  else {
    show(page);
    plan(pause);
  }
}

document.addEventListener("visibilitychange", () => {
  if (timer) plan(document.hidden ? pause : SEEN_AGAIN);
});
hint.hidden = true;
plan(pause);
