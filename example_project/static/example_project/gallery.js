// The worked example of calling the API of hailuo_django (docs/api.md): it asks what a video costs,
// orders it so that it is paid for once whatever happens, watches it politely, and plays it.
//
// Whatever came from people or from upstream is shown by textContent, never as HTML.

const QUOTE_AFTER = 300; // milliseconds after the last change of a field
const HIDDEN = 60; // seconds between two questions in a tab that nobody looks at
const LONGEST_PAUSE = 300; // seconds between two tries while the site does not answer
const PAGE = 10;
const ENDED = ["draft", "completed", "failed", "cancelled"];
const QUOTED = ["resolution", "duration", "start_image"];
const FIELDS = ["prompt", ...QUOTED];
const TRANSIENT = ["idempotency_key_in_use", "throttled", "too_soon"];

const $ = (selector) => document.querySelector(selector);
const form = $("#order");
const say = (text) => ($("#said").textContent = text);
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
const seconds = (response) => Number(response.headers.get("Retry-After")) || 0;

// --- Asking ------------------------------------------------------------------------------------

// The site said no: `body` has a `code` that programs can rely on, or errors by field.
class Refused extends Error {
  constructor(response, body) {
    super(body.detail ?? "");
    Object.assign(this, { status: response.status, body, retryAfter: seconds(response) });
  }
  get isTransient() {
    return this.status >= 500 || TRANSIENT.includes(this.body.code);
  }
}

// Rejects with Refused where the site answered, with a TypeError where nothing did.
async function ask(address, { headers = {}, ...options } = {}) {
  const response = await fetch(address, {
    ...options,
    headers: { Accept: "application/json", ...headers },
  });
  if (response.status === 304) return { response };
  // An error page of a proxy is no JSON.
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response, body);
  return { response, body };
}

function post(address, content, options = {}) {
  const token = form.elements.namedItem("csrfmiddlewaretoken").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token, ...options.headers };
  return ask(address, { ...options, method: "POST", headers, body: JSON.stringify(content) });
}

// --- What it costs -----------------------------------------------------------------------------

function wanted() {
  const value = (name) => form.elements.namedItem(name).value;
  const start_image = value("start_image");
  return {
    resolution: value("resolution"),
    duration: Number(value("duration")),
    ...(start_image && { start_image }),
  };
}

let asking = new AbortController();

async function quote() {
  asking.abort(); // the answer to an older question may come later than that to this one
  asking = new AbortController();
  const { signal } = asking;
  try {
    const { body } = await post(form.dataset.quote, wanted(), { signal });
    const lines = [`It costs ${body.price_usd} USD.`, ...body.advice.map((hint) => hint.message)];
    if (!body.fits_budget) lines.push(`The budget has room for ${body.budget.room_usd} USD.`);
    showPrice(lines);
    showErrors({}, QUOTED);
  } catch (error) {
    if (signal.aborted) return;
    showPrice([]); // rather no price than a wrong one
    showErrors(error.status === 400 ? error.body : {}, QUOTED);
  }
}

function showPrice(lines) {
  $("#price").replaceChildren(...lines.map((line) => element("p", line)));
}

// --- Ordering ----------------------------------------------------------------------------------

// What is being ordered outlives a reload: until an answer came, nobody knows whether it counted,
// and the same request with the same key counts once.
const pending = {
  get: () => JSON.parse(sessionStorage.getItem("order")),
  set: (order) => sessionStorage.setItem("order", JSON.stringify(order)),
  clear: () => sessionStorage.removeItem("order"),
};

async function order() {
  const { key, request } = pending.get();
  form.querySelector("fieldset").disabled = true;
  say("Ordering …");
  try {
    const { response, body } = await insist(key, request);
    form.elements.namedItem("prompt").value = "";
    say(`Ordered for ${body.price_usd} USD.`);
    watch(show(body, { first: true }), seconds(response));
  } catch (refused) {
    say(refused.status === 400 && !refused.body.code ? "" : words(refused));
    showErrors(refused.status === 400 ? refused.body : {}, FIELDS);
  }
  pending.clear(); // now it is certain: it was done, or nothing was
  form.querySelector("fieldset").disabled = false;
  $("[aria-invalid=true]")?.focus();
}

// Repeat the request until there is an answer about it.
async function insist(key, request) {
  for (let pause = 2; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      const headers = { "Idempotency-Key": key };
      return await post($("#videos").dataset.jobs, request, { headers });
    } catch (error) {
      if (error instanceof Refused && !error.isTransient) throw error;
      say("No answer yet. It is asked again, and counts once.");
      await sleep(error.retryAfter || pause);
    }
  }
}

function words({ status, body, message }) {
  if (body.code === "budget_exceeded")
    return `The budget has no room for ${body.price_usd} USD until ${when(body.resets_at)}.`;
  if (status === 401 || body.code === "not_authenticated") return "Sign in again, please.";
  return message || `The site answered ${status}.`;
}

function showErrors(errors, names) {
  for (const name of names) {
    const found = Array.isArray(errors[name]) ? errors[name] : [];
    $(`#${name}-error`).textContent = found.map((error) => error.message).join(" ");
    form.elements.namedItem(name).setAttribute("aria-invalid", found.length > 0);
  }
}

// --- Watching ----------------------------------------------------------------------------------

// Ask again after the seconds that the site named, until it names none: nothing more will happen.
async function watch(job, pause) {
  let etag = "";
  let failures = 0;
  while (pause) {
    await patience(pause);
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const { response, body } = await ask(job.address, { headers });
      etag = response.headers.get("ETag");
      if (body) show(body);
      pause = seconds(response);
      failures = 0;
    } catch (error) {
      if (error instanceof Refused && error.status < 500 && !error.isTransient) return;
      pause = error.retryAfter || Math.min(5 * 2 ** failures++, LONGEST_PAUSE);
    }
  }
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

const when = (time) => new Date(time).toLocaleString([], { dateStyle: "short", timeStyle: "short" });

function stateOf(job) {
  const reason = job.error?.message || job.failure_code || "";
  if (job.status === "failed") return `failed${reason && `: ${reason}`}`;
  const due = job.expected_at && !ENDED.includes(job.status) && ` – usually done by ${when(job.expected_at)}`;
  return job.status + (due || "");
}

// Show a job in its place in the list, made where there is none; return where to ask about it.
function show(job, { first = false } = {}) {
  const id = `video-${job.id}`;
  const item = document.getElementById(id) ?? $("#video").content.firstElementChild.cloneNode(true);
  const part = (selector, text) => (item.querySelector(selector).textContent = text);
  const [was, now] = [item.dataset.status, job.status];
  part("h2", job.prompt);
  part(".about", `${job.resolution}, ${job.duration} s, ${job.price_usd} USD`);
  part(".state", stateOf(job));
  part(".note", job.waiting?.message ?? "");
  Object.assign(item, { id });
  item.dataset.status = now;
  if (!item.isConnected) $("#videos")[first ? "prepend" : "append"](item);
  if (was && was !== now) say(`${now}: ${job.prompt}`);
  if (job.video_url && !item.querySelector("video")) item.append(...player(job));
  return { address: `${$("#videos").dataset.jobs}${job.id}/`, ended: ENDED.includes(now) };
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
  more.disabled = true;
  try {
    const { body } = await ask(address);
    for (const job of body.results) {
      const shown = show(job);
      if (!shown.ended) watch(shown, 1);
    }
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
}

function takeOrders() {
  form.hidden = false;
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(quote, QUOTE_AFTER);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (pending.get()) return; // a double click
    const prompt = form.elements.namedItem("prompt").value;
    pending.set({ key: crypto.randomUUID(), request: { prompt, ...wanted() } });
    order();
  });
  quote();
  if (pending.get()) order(); // left by a reload
}

await list(`${$("#videos").dataset.jobs}?page_size=${PAGE}`);
if (form) takeOrders();
