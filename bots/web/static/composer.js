// The composer: words, flags and pictures; what they would cost; and sending them.

import { ask } from "./ask.js";
import { Completion, find, set } from "./flags.js";
import { expect, say } from "./talk.js";

const form = document.getElementById("composer");
const area = document.getElementById("prompt");
const problem = document.getElementById("problem");
const quote = document.getElementById("quote");
const variant = document.getElementById("variant");
const slots = [...form.querySelectorAll("[data-slot]")].map((box) => ({
  box,
  name: box.dataset.slot,
  image: box.querySelector("img"),
  inputs: [...form.querySelectorAll(`input[type="file"][name="${box.dataset.slot}"]`)],
  picture: null,
}));
const [first, last] = slots;
const selects = [...form.querySelectorAll("select[data-flag]")];
const uploadMax = Number(document.querySelector('meta[name="kinora-upload"]').content);
const QUOTE_AFTER_MILLISECONDS = 250;

let quoteTimer = 0;
let quoting = new AbortController();
let unanswered = null;
let completion = null;

/** Put words and pictures into the composer. source: {file}, or {of, url, last}: an earlier clip, and
 * the addresses of its pictures. */
export function fill(text, source) {
  area.value = text;
  problem.textContent = "";
  for (const slot of slots) unpick(slot);
  if (source?.file) pick(first, source.file);
  if (source?.url) show(first, { url: source.url, of: source.of });
  if (source?.last) show(last, { url: source.last, of: source.of });
  changed();
  area.focus();
  area.setSelectionRange(text.length, text.length);
}

export function complain(sentence) {
  problem.textContent = sentence;
}

async function pick(slot, file) {
  if (file.size > uploadMax) {
    return complain(`A picture can be up to ${Math.floor(uploadMax / 1e6)} MB.`);
  }
  const chosen = { file, url: URL.createObjectURL(file) };
  show(slot, chosen);
  area.focus();
  say(slot === first ? "Picture added." : "Last picture added.");
  try {
    const bitmap = await createImageBitmap(file);
    Object.assign(chosen, { width: bitmap.width, height: bitmap.height });
    bitmap.close();
  } catch {
    // The browser can't read it; the studio may, and says so if not.
  }
  if (slot.picture === chosen) changed();
}

function show(slot, chosen) {
  if (slot.picture !== chosen) release(slot.picture);
  slot.picture = chosen;
  slot.image.src = chosen.url;
  slot.box.hidden = false;
  changed();
}

/** An earlier clip that is named brings both its pictures, so one that stays alone is fetched. */
async function remove(slot) {
  const other = slots.find((one) => one !== slot);
  const kept = other.picture;
  unpick(slot);
  area.focus();
  if (!kept?.of) return;
  try {
    const answer = await fetch(kept.url);
    if (!answer.ok) throw new Error(answer.statusText);
    const file = new File([await answer.blob()], "picture.jpg");
    if (other.picture === kept) await pick(other, file);
  } catch {
    complain("The other picture could not be kept. Choose it again.");
    if (other.picture === kept) unpick(other);
  }
}

function unpick(slot) {
  release(slot.picture);
  putAside(slot);
}

/** The bytes of a picture that is no longer to be seen here may go. */
function release(chosen) {
  if (chosen?.file) URL.revokeObjectURL(chosen.url);
}

function putAside(slot) {
  if (!slot.picture) return;
  slot.picture = null;
  slot.box.hidden = true;
  slot.image.removeAttribute("src");
  for (const input of slot.inputs) input.value = "";
  changed();
}

/** The earlier clip that a picture is of, if any. */
function origin() {
  return slots.map((slot) => slot.picture?.of).find(Boolean) ?? "";
}

/** The text or a picture changed: the controls say the same, and the price is asked anew. */
function changed() {
  variant.value = origin();
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
  if (!area.value.trim() && !slots.some((slot) => slot.picture)) {
    quote.textContent = "";
    return;
  }
  const asked = { prompt: area.value };
  if (origin()) asked.variant_of = origin();
  for (const { picture, name } of slots) {
    if (!picture?.file) continue;
    const sides = { width: picture.width ?? 1280, height: picture.height ?? 720 };
    asked[name === "image" ? "picture" : "last_picture"] = sides;
  }
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
  const chosen = slots.map((slot) => slot.picture);
  const fields = { prompt: text };
  if (origin()) fields.variant_of = origin();
  for (const { picture, name } of slots) if (picture?.file) fields[name] = picture.file;
  const body = chosen.some((picture) => picture?.file) ? filled(fields) : fields;
  const same =
    unanswered?.text === text && chosen.every((picture, at) => picture === unanswered.chosen[at]);
  const key = same ? unanswered.key : newKey();
  const settle = expect(text, chosen.filter(Boolean).map((picture) => picture.url));
  area.value = "";
  problem.textContent = "";
  for (const slot of slots) putAside(slot);
  changed();
  let id = null;
  try {
    id = (await ask("POST", "/api/v1/clips?offer=true", body, { key })).answer.id;
    unanswered = null;
  } catch (error) {
    unanswered = error.answered ? null : { text, chosen, key };
    area.value = area.value ? `${text}\n${area.value}` : text;
    slots.forEach((slot, at) => chosen[at] && !slot.picture && show(slot, chosen[at]));
    complain(error.message);
    changed();
  }
  area.focus();
  await settle(id);
  slots.forEach((slot, at) => slot.picture !== chosen[at] && release(chosen[at]));
}

function filled(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
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
  for (const slot of slots) {
    for (const input of slot.inputs) {
      input.addEventListener("change", () => input.files[0] && pick(slot, input.files[0]));
    }
    slot.box.querySelector("button").addEventListener("click", () => remove(slot));
  }
  catchPictures();
  const of = variant.value;
  for (const slot of slots) {
    if (slot.image.getAttribute("src")) show(slot, { url: slot.image.src, of });
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
    if (file) pick(first, file);
    else complain("That is no picture: drop a JPEG, PNG, WebP or GIF.");
  });
  document.addEventListener("paste", (event) => {
    const file = pictureOf(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    pick(first, file);
  });
}
