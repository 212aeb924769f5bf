// Refreshes what pages of the admin show of jobs that may still become a video (admin/live.py).
//
// One request for all of them, then a pause: a little longer each time that no state changes,
// much longer in a tab that nobody looks at and after an error. Once all have ended, none.

const MAX_FOLLOWED = 100; // as in admin/live.py
const SLOWER = 1.1;
const SLOWEST = 30; // seconds, and so are those below
const HIDDEN = 60;
const SEEN_AGAIN = 1;
const AFTER_ERRORS = 300;

const announcer = document.createElement("div");
announcer.className = "hailuo-announcer";
announcer.setAttribute("role", "status");
announcer.setAttribute("aria-live", "polite");

class Refused extends Error {} // signed out, or no right any more: asking again is of no use

const followed = () => [...document.querySelectorAll("[data-hailuo-follow]")];
const unfollow = (part) => delete part.dataset.hailuoFollow;

async function get(address, headers = {}) {
  const response = await fetch(address, { headers, redirect: "manual" });
  if (response.ok || response.status === 304) return response;
  const { status } = response; // 0 is that of a redirect, to the page for signing in
  if (status < 500 && status !== 408 && status !== 429) throw new Refused(status);
  throw new Error(status);
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // the admin's own markup, in which nothing runs
  return template.content;
}

// Put `fresh` in the place of `old`; false where that would stop a video that plays.
function swap(old, fresh) {
  if (old.isEqualNode(fresh)) return true;
  if ([...old.querySelectorAll("video")].some((video) => !video.paused)) return false;
  const focused = old.contains(document.activeElement) && document.activeElement.href;
  const open = [...old.querySelectorAll("details")].map((details) => details.open);
  fresh.querySelectorAll("details").forEach((details, i) => (details.open = open[i] ?? false));
  old.replaceWith(fresh);
  if (focused) [...fresh.querySelectorAll("a")].find((link) => link.href === focused)?.focus();
  return true;
}

// Show what was answered about the jobs asked for; return the parts whose state is another.
function showParts(answer, asked) {
  const named = new Map(
    [...answer.querySelectorAll("[data-hailuo-part]")].map((part) => [part.dataset.hailuoPart, part]),
  );
  // What was not answered was deleted, or is not for this reader any more.
  asked.filter((part) => !named.has(part.dataset.hailuoPart)).forEach(unfollow);
  const changed = [];
  for (const old of document.querySelectorAll("[data-hailuo-part]")) {
    const fresh = named.get(old.dataset.hailuoPart);
    if (!fresh) continue;
    swap(old, fresh);
    if (old.dataset.hailuoVersion !== fresh.dataset.hailuoVersion) changed.push(fresh);
  }
  return changed;
}

// Show the rest of the page of a job as it is now, or offer to; lists have no such notice.
async function showPage() {
  const notice = document.querySelector("[data-hailuo-page]");
  if (!notice) return;
  try {
    const page = parse(await (await get(notice.dataset.hailuoPage)).text());
    const parts = ".readonly, fieldset[data-hailuo-part]";
    const old = [...document.querySelectorAll(parts)].filter((part) => !part.closest(".inline-group"));
    const fresh = [...page.querySelectorAll(parts)];
    const alike = old.length === fresh.length;
    notice.hidden = alike && old.map((part, i) => swap(part, fresh[i])).every(Boolean);
  } catch {
    notice.hidden = false;
  }
}

let last = { address: "", etag: "" };

// Ask once about `asked`; return whether any state is another.
async function refresh(asked) {
  const ids = asked.map((part) => part.dataset.hailuoJob).join(".");
  const address = `${asked[0].dataset.hailuoFollow}?ids=${ids}`;
  const known = address === last.address && last.etag;
  const response = await get(address, known ? { "If-None-Match": last.etag } : {});
  if (response.status === 304) return false;
  const changed = showParts(parse(await response.text()), asked);
  last = { address, etag: response.headers.get("ETag") };
  if (!changed.length) return false;
  announcer.textContent = changed.map((part) => part.dataset.hailuoSaid).join("; ");
  changed.forEach((part) => part.classList.add("hailuo-changed"));
  await showPage();
  return true;
}

const fastest = Number(followed()[0]?.dataset.hailuoSeconds);
let pause = fastest;
let turn = 0;
let timer = 0;

function plan(seconds) {
  clearTimeout(timer);
  timer = 0;
  if (!followed().length) return;
  timer = setTimeout(ask, 1000 * (document.hidden ? Math.max(seconds, HIDDEN) : seconds));
}

async function ask() {
  timer = 0;
  const parts = followed();
  turn = turn < parts.length ? turn : 0;
  const asked = parts.slice(turn, (turn += MAX_FOLLOWED));
  try {
    const changed = asked.length > 0 && (await refresh(asked));
    pause = changed ? fastest : Math.max(fastest, Math.min(pause * SLOWER, SLOWEST));
  } catch (error) {
    if (error instanceof Refused) followed().forEach(unfollow);
    pause = Math.min(pause * 2, AFTER_ERRORS);
  }
  plan(pause);
}

if (fastest) {
  document.body.append(announcer);
  document.addEventListener("visibilitychange", () => {
    if (timer) plan(document.hidden ? pause : SEEN_AGAIN);
  });
  plan(fastest);
}
