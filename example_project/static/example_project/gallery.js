// The worked example of calling the API of hailuo_django (docs/api.md): it asks what a video costs,
// orders it so that it is paid for once whatever happens, watches it politely, and plays it.
//
// Whatever came from people or from upstream is shown by textContent, never as HTML.

const QUOTE_AFTER = 300; // milliseconds after the last change of a field
const TIMEOUT = 30_000; // milliseconds, after which an answer counts as lost
const HIDDEN = 60; // seconds between two questions in a tab that nobody looks at
const LONGEST_PAUSE = 300; // seconds between two tries while the site does not answer
const KEPT = 20 * 3_600_000; // milliseconds; the site forgets a key after 24 hours
const LONGEST_REASON = 300; // characters of what Krea says
const PAGE = 10;
const ENDED = ["draft", "completed", "failed", "cancelled"];
const FIELDS = ["prompt", "resolution", "duration", "start_image"];
const WORDS = {
  unsent: "waiting to be sent",
  unconfirmed: "sent, and the answer was lost",
  "intermediate-complete": "almost ready",
  completed: "ready",
}; // the other statuses say it themselves

const $ = (selector) => document.querySelector(selector);
const form = $("#order"); // null for who may not order
const field = (name) => form.elements.namedItem(name);
const say = (text) => ($("#said").textContent = text);
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
const seconds = (response) => Number(response.headers.get("Retry-After")) || 0;

// --- Asking ------------------------------------------------------------------------------------

// Somebody said no. Where it was the API, `body` has a `code`, or errors by field that have one.
class Refused extends Error {
  constructor(response, body) {
    super(body.detail ?? "");
    Object.assign(this, { status: response.status, body, retryAfter: seconds(response) });
  }
}

const hasCode = (said) => typeof said?.code === "string";
const isOurs = ({ body }) => hasCode(body) || Object.values(body).flat().some(hasCode);

// Only these are the API's last word about an order; all else may come from who is on the way.
const DECISIONS = ["budget_exceeded", "price_changed", "body_too_large"];
const isField = (body) => FIELDS.some((name) => Array.isArray(body[name]));
const decides = (error) =>
  error instanceof Refused &&
  (DECISIONS.includes(error.body.code) || (error.status === 400 && isField(error.body)));
const isAtTheDoor = (error) => [401, 403].includes(error.status) && isOurs(error);

// Worth another try, and no word about what was asked: a proxy on the way says no as well.
const passes = (error) =>
  !(error instanceof Refused) ||
  !isOurs(error) ||
  error.status >= 500 ||
  error.status === 429 ||
  error.body.code === "idempotency_key_in_use";

// Rejects with Refused where the site said no, with another error where no whole answer arrived.
async function ask(address, { headers, signal, ...options } = {}) {
  headers = { Accept: "application/json", ...headers };
  signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT), ...(signal ? [signal] : [])]);
  const response = await fetch(address, { ...options, headers, signal });
  if (response.status === 304) return { response };
  // An error page of a proxy is no JSON. But what breaks off, or is a page, is no yes.
  if (!response.ok) throw new Refused(response, await response.json().catch(() => ({})));
  return { response, body: await response.json() };
}

function post(address, content, options = {}) {
  const token = field("csrfmiddlewaretoken").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token, ...options.headers };
  return ask(address, { ...options, method: "POST", headers, body: JSON.stringify(content) });
}

// --- What it costs -----------------------------------------------------------------------------

function wanted() {
  const [prompt, resolution, duration, start_image] = FIELDS.map((name) => field(name).value);
  return { prompt, resolution, duration: Number(duration), ...(start_image && { start_image }) };
}

// A page that came without TLS has no crypto.randomUUID().
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const priced = () => JSON.stringify({ ...wanted(), prompt: "" });

let pricedBefore = ""; // what the price on the page is the price of
let priceSeen = ""; // USD, and what an order may cost at most
let asking = new AbortController();
let timer = 0;

// The answer to an older question may come later than that to a newer one.
function forgetQuestions() {
  clearTimeout(timer);
  asking.abort();
  asking = new AbortController();
}

async function quote() {
  forgetQuestions();
  const { signal } = asking;
  const fields = priced();
  try {
    const { body } = await post(form.dataset.quote, wanted(), { signal });
    const lines = [`It costs ${body.price_usd} USD.`, ...body.advice.map((hint) => hint.message)];
    if (!body.fits_budget) lines.push(`The budget has room for ${body.budget.room_usd} USD.`);
    priceSeen = body.price_usd;
    showPrice(lines, fields);
    showErrors({});
  } catch (error) {
    if (signal.aborted) return;
    if (passes(error)) timer = setTimeout(quote, 1000 * (error.retryAfter || 5));
    const reason = passes(error) ? "The site does not say what it costs." : words(error);
    showPrice(showErrors(error) ? [] : [reason]);
  }
}

function showPrice(lines, fields = "") {
  pricedBefore = fields; // rather no price than a wrong one
  const shown = [...$("#price").children].map((line) => line.textContent);
  if (lines.join("\n") === shown.join("\n")) return; // it is read out at each change
  $("#price").replaceChildren(...lines.map((line) => element("p", line)));
}

// --- Ordering ----------------------------------------------------------------------------------

// What is being ordered outlives a reload: until an answer came, nobody knows whether it counted,
// and the same request with the same key counts once. Who signs in next has no part in it.
const pending = {
  name: `order of ${form?.dataset.visitor}`,
  get: () => JSON.parse(sessionStorage.getItem(pending.name)),
  set: (order) => sessionStorage.setItem(pending.name, JSON.stringify(order)),
  clear: () => sessionStorage.removeItem(pending.name),
};

async function order() {
  const fieldset = form.querySelector("fieldset");
  const focused = form.contains(document.activeElement);
  fieldset.disabled = true;
  say("Ordering …");
  try {
    const { response, body } = await insist(pending.get());
    if (!document.getElementById(`video-${body.id}`)) show(body, { first: true });
    watch(body, seconds(response));
    field("prompt").value = "";
    showErrors({});
    say(`Ordered for ${body.price_usd} USD.`);
  } catch (refused) {
    say(showErrors(refused) ? "" : words(refused));
    // Told at the door, where nobody knows of an earlier try: keep the key.
    if (isAtTheDoor(refused) && pending.get().tries > 1)
      return say(`${words(refused)} It may have been ordered: load this page anew to know.`);
    if (refused.body?.code === "price_changed") quote();
  }
  pending.clear(); // now it is certain: it was done, or nothing was
  fieldset.disabled = false;
  if (focused) ($("[aria-invalid=true]") ?? field("prompt")).focus();
}

// Repeat the request until there is an answer about it, while the site remembers its key.
async function insist({ key, request, tries, since }) {
  for (let pause = 2; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    if (Date.now() - since > KEPT)
      throw new Error("Nobody knows whether it was ordered: look for it among your videos first.");
    pending.set({ key, request, since, tries: ++tries });
    let wait = pause;
    try {
      const headers = { "Idempotency-Key": key };
      const answer = await post($("#videos").dataset.jobs, request, { headers });
      if (answer.body?.id) return answer; // else it is somebody else's
    } catch (error) {
      if (decides(error) || isAtTheDoor(error)) throw error;
      wait = error.retryAfter || pause;
    }
    say("No answer yet. It is asked again, and counts once.");
    await sleep(wait);
  }
}

function words({ status, body = {}, message }) {
  if (body.code === "budget_exceeded")
    return `The budget has no room for ${body.price_usd} USD until ${when(body.resets_at)}.`;
  if (status === 401 || body.code === "not_authenticated") return "Sign in again, please.";
  if (/CSRF/.test(message)) return "You have signed in anew: load this page again.";
  return message || `The site answered ${status}.`;
}

// Show each error at its field, and none at the others; return whether there are any.
function showErrors({ status, body }) {
  const errors = status === 400 ? body : {};
  const found = FIELDS.filter((name) => {
    const own = errors[name] ?? [];
    $(`#${name}-error`).textContent = own.map((error) => error.message).join(" ");
    field(name).setAttribute("aria-invalid", own.length > 0);
    return own.length;
  });
  return found.length > 0;
}

// --- Watching ----------------------------------------------------------------------------------

const watched = new Set();

// Ask again after the seconds that the site named, until it names none: nothing more will happen.
async function watch({ id }, pause) {
  if (watched.has(id)) return;
  watched.add(id);
  let etag = "";
  let failures = 0;
  while (pause) {
    await patience(pause);
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const { response, body } = await ask(`${$("#videos").dataset.jobs}${id}/`, { headers });
      etag = response.headers.get("ETag");
      if (body) show(body);
      pause = seconds(response);
      failures = 0;
    } catch (error) {
      if (!passes(error)) $(`#video-${id} .note`).textContent = words(error);
      pause = passes(error) && (error.retryAfter || Math.min(5 * 2 ** failures++, LONGEST_PAUSE));
    }
  }
  watched.delete(id);
}

// Wait; longer in a tab that nobody looks at, and until somebody does.
async function patience(pause) {
  await sleep(pause);
  if (!document.hidden) return;
  const seen = new Promise((resolve) =>
    document.addEventListener("visibilitychange", resolve, { once: true }),
  );
  await Promise.race([sleep(HIDDEN), seen]);
}

// --- Showing -----------------------------------------------------------------------------------

function element(name, text = "", properties = {}) {
  return Object.assign(document.createElement(name), { textContent: text, ...properties });
}

const SHORT = { dateStyle: "short", timeStyle: "short" };
const when = (time) => new Date(time).toLocaleString([], SHORT);

function stateOf(job) {
  const status = WORDS[job.status] ?? job.status;
  const reason = (job.error?.message || job.failure_code || "").slice(0, LONGEST_REASON);
  if (job.status === "failed") return [status, reason].filter(Boolean).join(": ");
  if (!job.expected_at || ENDED.includes(job.status)) return status;
  return `${status}, usually ready by ${when(job.expected_at)}`;
}

// Show a job in its place in the list, made where there is none.
function show(job, { first = false } = {}) {
  const id = `video-${job.id}`;
  const item = document.getElementById(id) ?? $("#video").content.firstElementChild.cloneNode(true);
  const part = (selector, text) => (item.querySelector(selector).textContent = text);
  const [was, now] = [item.dataset.status, job.status];
  part("h2", job.prompt);
  part(".about", `${job.resolution}, ${job.duration} s, ${job.price_usd} USD`);
  part(".state", stateOf(job));
  const hidden = job.status === "completed" && !job.video_url;
  part(".note", job.waiting?.message ?? (hidden ? "This site cannot show the video." : ""));
  Object.assign(item, { id });
  item.dataset.status = now;
  if (!item.isConnected) $("#videos")[first ? "prepend" : "append"](item);
  if (was && was !== now) say(`${WORDS[now] ?? now}: ${job.prompt}`);
  if (job.video_url && !item.querySelector("video")) item.append(...player(job));
}

// Nothing is loaded before somebody plays it.
function player({ prompt, video_url }) {
  const { protocol, href } = new URL(video_url);
  if (!["https:", location.protocol].includes(protocol)) return [];
  const video = element("video", "", { controls: true, preload: "none", playsInline: true });
  video.src = href;
  video.setAttribute("aria-label", prompt);
  const link = element("a", "Open the video alone", { href, rel: "noopener noreferrer" });
  return [video, link];
}

// --- The page ----------------------------------------------------------------------------------

// The newest videos, and then page by page the older ones, by the addresses that the API gives.
async function list(address) {
  const more = $("#more");
  const focused = document.activeElement === more;
  more.disabled = true;
  try {
    const { body } = await ask(address);
    for (const job of body.results) {
      show(job);
      if (!ENDED.includes(job.status) || job.waiting) watch(job, 1);
    }
    if (!$("#videos").childElementCount) say("There are no videos yet.");
    more.hidden = !body.next;
    more.onclick = async () => {
      const last = $("#videos").lastElementChild;
      await list(body.next);
      last.nextElementSibling?.focus();
    };
  } catch (error) {
    say(error instanceof Refused ? words(error) : "The site does not answer.");
  }
  more.disabled = false;
  if (focused) more.focus();
}

function takeOrders() {
  form.hidden = false;
  form.addEventListener("input", () => {
    if (pricedBefore !== priced()) showPrice([]);
    forgetQuestions();
    timer = setTimeout(quote, QUOTE_AFTER);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (pending.get()) return; // a double click
    if (pricedBefore !== priced()) {
      say("See what it costs first.");
      return $("[aria-invalid=true]")?.focus();
    }
    forgetQuestions();
    const request = { ...wanted(), max_price_usd: priceSeen };
    pending.set({ key: newKey(), request, since: Date.now(), tries: 0 });
    order();
  });
  quote();
  if (pending.get()) order(); // left by a reload
}

if (form) takeOrders();
list(`${$("#videos").dataset.jobs}?page_size=${PAGE}`);
