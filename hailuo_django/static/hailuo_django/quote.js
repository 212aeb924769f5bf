// Keeps price, advice and room in the budget up with the fields of a draft (admin/quotes.py).
//
// The server alone knows prices. While it does not answer, nothing is shown that may be wrong.
// The prompt stays here: only its length is asked about, and only where it is long.

const PATIENCE = 300; // milliseconds after the last change
const FIELDS = ["resolution", "duration", "start_image", "end_image", "owner"];
const IMAGES = ["start_image", "end_image"];

function describe(form, longPrompt) {
  const value = (name) => form.elements.namedItem(name)?.value.trim() ?? "";
  const question = new URLSearchParams(FIELDS.map((name) => [name, value(name)]));
  IMAGES.forEach((name) => question.set(name, value(name) ? "on" : ""));
  const { length } = value("prompt");
  question.set("prompt_length", length > longPrompt ? length : 0);
  return question.toString();
}

function write(place, part, ...lines) {
  const items = lines.map((line) => {
    const item = document.createElement("div");
    item.textContent = line;
    return item;
  });
  place.querySelector(`[data-hailuo-${part}]`).replaceChildren(...items);
}

function show(place, { price = "", advice = [], budget = [] }) {
  write(place, "price", price);
  write(place, "advice", ...advice);
  write(place, "budget", ...budget);
  write(place, "note", price ? "" : place.dataset.hailuoLater);
}

function follow(place) {
  const form = place.closest("form");
  let answered = "";
  let timer = 0;
  let request = new AbortController();

  async function ask() {
    const question = describe(form, Number(place.dataset.hailuoLongPrompt));
    if (question === answered) return;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    try {
      const response = await fetch(`${place.dataset.hailuoQuote}?${question}`, { signal });
      show(place, response.ok ? await response.json() : {});
      answered = response.ok ? question : "";
    } catch {
      if (signal.aborted) return; // another question was asked meanwhile
      show(place, {});
      answered = "";
    }
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(ask, PATIENCE);
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  // The window in which an owner is chosen changes the field without an event.
  window.addEventListener("focus", soon);
  ask();
}

document.querySelectorAll("[data-hailuo-quote]").forEach(follow);
