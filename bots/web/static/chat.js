// The page comes alive. Everything here also works without it, by forms and links.

import { ask, UNREACHABLE } from "./ask.js";
import { complain, compose, fill } from "./composer.js";
import { arrive, earlier, listen, localise, toEnd } from "./talk.js";

const ACTIONS = {
  cancel: (id) => ask("DELETE", `/api/v1/clips/${id}`),
  delete: (id) => ask("DELETE", `/api/v1/clips/${id}?forget=true`),
  again: (id) => once(id, "again"),
  retry: (id) => once(id, "again"),
  extend: (id) => once(id, "extend"),
  render: (id) => ask("POST", `/api/v1/clips/${id}/render`),
  relax: (id) => ask("POST", `/api/v1/clips/${id}/render`, { relaxed: true }),
  attest: (id) => ask("POST", `/api/v1/clips/${id}/render`, { attest: true }),
  appeal: (id, { form }) => ask("POST", `/api/v1/clips/${id}/appeal`, { why: form.why.value }),
};

async function once(id, what) {
  const { answer } = await ask("POST", `/api/v1/clips/${id}/${what}?offer=true`);
  await arrive(answer.id);
}

async function act(button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  complain("");
  try {
    await ACTIONS[button.dataset.act](button.dataset.id, button);
  } catch (error) {
    complain(error.message);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

async function trySample(link) {
  const image = await fetch(link.querySelector("img").src);
  if (!image.ok) throw new Error(image.statusText);
  const file = new File([await image.blob()], "sample.jpg", { type: "image/jpeg" });
  fill(link.dataset.sample, { file });
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-act], [data-example], [data-sample], [data-before]");
  if (!target) {
    for (const open of document.querySelectorAll(".drawer[open], .ask[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
    return;
  }
  event.preventDefault();
  const { act: what, id, recipe, picture, last, example, sample, before } = target.dataset;
  if (example) fill(example);
  else if (sample) trySample(target).catch(() => complain(UNREACHABLE));
  else if (before) earlier(target).catch(() => complain(UNREACHABLE));
  else if (what === "edit") fill(recipe, { of: id, url: picture, last });
  else act(target);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector(".ask[open], .drawer[open], .options[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

localise(document);
if (!location.hash) toEnd();
listen();
compose();
