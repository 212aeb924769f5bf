// Follows a batch that is under way: asks for its page now and then, and shows what is new
// (admin/confirming.py). Once it is finished, the whole page is loaded anew.

const PAUSE = 3; // seconds, and so is the next
const HIDDEN = 60;
const NAMES = ["progress", "worker", "outcomes"];
const PARTS = ["#content h1", ...NAMES.map((name) => `[data-hailuo-${name}]`)];

const bar = document.querySelector("progress");

function later() {
  setTimeout(look, 1000 * (document.hidden ? HIDDEN : PAUSE));
}

function show(page) {
  bar.value = page.querySelector("progress").value;
  document.title = page.title;
  for (const part of PARTS) {
    const [old, fresh] = [document, page].map((where) => where.querySelector(part));
    if (!old.isEqualNode(fresh)) old.replaceChildren(...fresh.childNodes);
  }
}

async function look() {
  let response;
  try {
    response = await fetch(location.href, { redirect: "manual" });
  } catch {
    later(); // the site will be there again
    return;
  }
  if (response.status >= 500) later();
  if (!response.ok) return; // signed out, or no right any more
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.querySelector("progress")) location.reload();
  else {
    show(page);
    later();
  }
}

document.querySelector("[data-hailuo-by-hand]").hidden = true;
later();
