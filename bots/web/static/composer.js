// The composer: words, flags and a picture; what they would cost; and sending them.

import { ask } from "./ask.js";
import { Completion, find, set } from "./flags.js";
import { expect, say } from "./talk.js";

const form = document.getElementById("composer");
const area = document.getElementById("prompt");
const problem = document.getElementById("problem");
const quote = document.getElementById("quote");
const variant = document.getElementById("variant");
const picked = document.getElementById("picked");
const pickedPicture = document.getElementById("picked-picture");
const inputs = [document.getElementById("file"), document.getElementById("capture")];
const selects = [...form.querySelectorAll("select[data-flag]")];
const uploadMax = Number(document.querySelector('meta[name="kinora-upload"]').content);
const QUOTE_AFTER_MILLISECONDS = 250;

let picture = null;
let quoteTimer = 0;
let quoting = new AbortController();
let unanswered = null;
let completion = null;

/** Put words and a picture into the composer. source: {file} or {of, url} of an earlier clip. */
export function fill(text, source) {
  area.value = text;
  problem.textContent = "";
  if (source?.file) pick(source.file);
  else if (source?.url) show({ url: source.url, of: source.of });
  else unpick();
  changed();
  area.focus();
  area.setSelectionRange(text.length, text.length);
}

export function complain(sentence) {
  problem.textContent = sentence;
}

async function pick(file) {
  if (file.size > uploadMax) {
    return complain(`A picture can be up to ${Math.floor(uploadMax / 1e6)} MB.`);
  }
  const chosen = { file, url: URL.createObjectURL(file) };
  show(chosen);
  area.focus();
  say("Picture added.");
  try {
    const bitmap = await createImageBitmap(file);
    Object.assign(chosen, { width: bitmap.width, height: bitmap.height });
    bitmap.close();
  } catch {
    // The browser can't read it; the studio may, and says so if not.
  }
  if (picture === chosen) changed();
}

function show(chosen) {
  if (picture !== chosen) release(picture);
  picture = chosen;
  pickedPicture.src = chosen.url;
  picked.hidden = false;
  variant.value = chosen.of ?? "";
  changed();
}

function unpick() {
  release(picture);
  putAside();
}

/** The bytes of a picture that is no longer to be seen here may go. */
function release(chosen) {
  if (chosen?.file) URL.revokeObjectURL(chosen.url);
}

function putAside() {
  if (!picture) return;
  picture = null;
  picked.hidden = true;
  pickedPicture.removeAttribute("src");
  variant.value = "";
  for (const input of inputs) input.value = "";
  changed();
}

/** The text or the picture changed: the controls say the same, and the price is asked anew. */
function changed() {
  const flags = new Map(find(area.value).map((flag) => [flag.name, flag.value]));
  for (const select of selects) reflect(select, flags.get(select.dataset.flag) ?? "");
  if (!CSS.supports("field-sizing", "content")) {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }
  clearTimeout(quoteTimer);
  quoteTimer = setTimeout(price, QUOTE_AFTER_MILLISECONDS);
}

function reflect(select, value) {
  select.querySelector("[data-typed]")?.remove();
  if (![...select.options].some((option) => option.value === value)) {
    const option = new Option(value, value);
    option.dataset.typed = "";
    select.add(option);
  }
  select.value = value;
}

async function price() {
  quoting.abort();
  quoting = new AbortController();
  if (!area.value.trim() && !picture) {
    quote.textContent = "";
    return;
  }
  const asked = { prompt: area.value };
  if (picture?.of) asked.variant_of = picture.of;
  else if (picture) asked.picture = { width: picture.width ?? 1280, height: picture.height ?? 720 };
  try {
    const { answer } = await ask("POST", "/api/v1/quote", asked, { signal: quoting.signal });
    const short = answer.credits > answer.available;
    quote.textContent = short ? `${answer.summary} · you have ${answer.available}` : answer.summary;
  } catch (error) {
    if (error.name !== "AbortError") quote.textContent = "";
  }
}

async function send() {
  const text = area.value;
  const chosen = picture;
  const body = chosen?.file ? new FormData() : { prompt: text };
  if (chosen?.file) {
    body.set("prompt", text);
    body.set("image", chosen.file);
  }
  if (chosen?.of) body.variant_of = chosen.of;
  const same = unanswered?.text === text && unanswered.chosen === chosen;
  const key = same ? unanswered.key : newKey();
  const settle = expect(text, chosen?.url);
  area.value = "";
  problem.textContent = "";
  putAside();
  changed();
  let id = null;
  try {
    id = (await ask("POST", "/api/v1/clips", body, { key })).answer.id;
    unanswered = null;
  } catch (error) {
    unanswered = error.answered ? null : { text, chosen, key };
    area.value = area.value ? `${text}\n${area.value}` : text;
    if (chosen && !picture) show(chosen);
    complain(error.message);
    changed();
  }
  area.focus();
  await settle(id);
  if (picture !== chosen) release(chosen);
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(36)).join("-");
}

export async function compose() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    completion?.close();
    send();
  });
  area.addEventListener("keydown", (event) => {
    if (event.isComposing || completion?.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  area.addEventListener("input", () => {
    problem.textContent = "";
    completion?.look();
    changed();
  });
  for (const select of selects) {
    select.addEventListener("change", () => {
      area.value = set(area.value, select.dataset.flag, select.value);
      changed();
    });
  }
  for (const input of inputs) {
    input.addEventListener("change", () => input.files[0] && pick(input.files[0]));
  }
  document.getElementById("unpick").addEventListener("click", () => {
    unpick();
    area.focus();
  });
  catchPictures();
  if (pickedPicture.getAttribute("src")) {
    show({ url: pickedPicture.src, of: variant.value });
  }
  changed();
  const answer = await known();
  completion = new Completion(
    area,
    document.getElementById("flags"),
    answer.flags,
    Object.fromEntries(
      selects.map((one) => [one.dataset.flag, [...one.options].map((o) => o.value).filter(Boolean)]),
    ),
    changed,
  );
}

/** The flags to be completed; none where they can't be had: then they are typed in full. */
async function known() {
  try {
    return (await ask("GET", "/api/v1/models")).answer;
  } catch {
    return { flags: [] };
  }
}

function catchPictures() {
  const pictureOf = (transfer) =>
    [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) form.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.remove("dropping");
    const file = pictureOf(event.dataTransfer);
    if (file) pick(file);
    else complain("That is no picture: drop a JPEG, PNG, WebP or GIF.");
  });
  document.addEventListener("paste", (event) => {
    const file = pictureOf(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    pick(file);
  });
}
