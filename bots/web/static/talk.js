// The conversation: turns as the server draws them, kept up to date by one stream.

import { morph } from "./morph.js";

const turns = document.getElementById("turns");
const live = document.getElementById("live");
const offline = document.getElementById("offline");
const welcome = document.getElementById("welcome");
const older = new URLSearchParams(location.search).has("before");
const NEAR_END_PIXELS = 160;
const SAY_AFTER_MILLISECONDS = 400;
const LET_GO_AFTER_MILLISECONDS = 60000;
const FETCH_MILLISECONDS = 10000;
const TITLE = document.title;

let sending = 0;
const waiting = new Map();
let toSay = [];
let sayTimer = 0;

/** Say something to those who listen, once for several things that happen together. */
export function say(sentence) {
  toSay.push(sentence);
  clearTimeout(sayTimer);
  sayTimer = setTimeout(() => {
    live.textContent = toSay.join(" ");
    toSay = [];
  }, SAY_AFTER_MILLISECONDS);
}

/** Show what was sent at once. Returns what to call with the clip's id, or with nothing. */
export function expect(text, pictures) {
  sending += 1;
  const turn = document.createElement("article");
  turn.className = "turn";
  turn.innerHTML =
    '<div class="said"></div><div class="card"><div class="lines"><p class="line-one">Sending</p></div></div>';
  const said = turn.firstElementChild;
  for (const picture of pictures) {
    const thumb = document.createElement("img");
    Object.assign(thumb, { className: "thumb", src: picture, alt: "Your picture" });
    said.append(thumb);
  }
  if (text) {
    const words = document.createElement("p");
    Object.assign(words, { className: "words", dir: "auto", textContent: text });
    said.append(words);
  }
  if (!older) turns.append(turn);
  greet();
  toEnd();
  return async (id) => {
    try {
      if (id && older) location.assign(`/#clip-${id}`);
      else if (!id || document.getElementById(`clip-${id}`)) turn.remove();
      else {
        turn.id = `clip-${id}`;
        await fetchTurn(id);
      }
    } finally {
      sending -= 1;
      if (!sending) {
        for (const event of waiting.values()) show(event);
        waiting.clear();
      }
      greet();
    }
  };
}

/** A clip that was just asked for by a button. */
export async function arrive(id) {
  if (older) return location.assign(`/#clip-${id}`);
  await fetchTurn(id);
  toEnd();
}

/** Draw a turn without waiting for the stream, which brings it where this fails. */
async function fetchTurn(id) {
  try {
    const response = await fetch(`/clips/${id}`, { signal: AbortSignal.timeout(FETCH_MILLISECONDS) });
    if (response.ok) show({ id, html: await response.text() });
  } catch {
    return;
  }
}

function show({ id, html, state, say: sentence }) {
  const known = document.getElementById(`clip-${id}`);
  if (!known && (older || !html)) return;
  if (!known && sending) {
    waiting.set(id, { id, html, state, say: sentence });
    return;
  }
  const fresh = parsed(html).querySelector(".turn");
  const stay = atEnd();
  if (known) {
    const focused = known.contains(document.activeElement);
    const before = known.dataset.state;
    morph(known, fresh);
    if (focused && !known.contains(document.activeElement)) {
      known.tabIndex = -1;
      known.focus({ preventScroll: true });
    }
    if (sentence && before !== state) tell(sentence, state);
  } else {
    turns.append(fresh);
    if (sentence) tell(sentence, state);
  }
  greet();
  if (stay) toEnd();
}

function tell(sentence, state) {
  say(sentence);
  if (document.hidden && state === "succeeded") document.title = `Done · ${TITLE}`;
}

function gone(id) {
  const turn = document.getElementById(`clip-${id}`);
  if (!turn) return;
  const focused = turn.contains(document.activeElement);
  turn.remove();
  if (focused) document.getElementById("prompt").focus();
  say("The clip is deleted.");
  greet();
}

/** After a reconnect: what was deleted meanwhile goes; too much missed means a fresh page. */
function reconcile(ids) {
  if (older) return;
  const shown = [...turns.querySelectorAll(".turn[id]")].map((turn) => turn.id.slice(5));
  const first = shown.findIndex((id) => ids.includes(id));
  if (first < 0 && shown.length && ids.length && !sending) return location.reload();
  for (const id of first < 0 ? [] : shown.slice(first)) if (!ids.includes(id)) gone(id);
}

/** A hidden page lets go of its stream after a while: a browser has only six for each site. */
export function listen() {
  let source = document.hidden ? null : connect();
  let letGo = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(letGo);
    if (document.hidden) {
      letGo = setTimeout(() => source?.close(), LET_GO_AFTER_MILLISECONDS);
      return;
    }
    document.title = TITLE;
    if (!source || source.readyState === EventSource.CLOSED) source = connect();
  });
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function connect() {
  const source = new EventSource("/stream");
  source.addEventListener("open", () => (offline.hidden = true));
  source.addEventListener("error", () => {
    offline.hidden = false;
    if (source.readyState === EventSource.CLOSED) offline.textContent = "Reload to go on";
  });
  source.addEventListener("history", (event) => reconcile(JSON.parse(event.data)));
  source.addEventListener("turn", (event) => show(JSON.parse(event.data)));
  source.addEventListener("gone", (event) => gone(JSON.parse(event.data).id));
  source.addEventListener("wallet", (event) => {
    const { balance, held } = JSON.parse(event.data);
    document.getElementById("balance").textContent = balance;
    document.querySelector('[data-wallet="balance"]').textContent = balance;
    document.querySelector('[data-wallet="held"]').textContent = held;
  });
  return source;
}

/** Put earlier turns above without moving what is being read. */
export async function earlier(link) {
  const response = await fetch(`/earlier?before=${link.dataset.before}`);
  if (!response.ok) return location.assign(link.href);
  const before = document.documentElement.scrollHeight;
  const focused = document.activeElement === link;
  const content = parsed(await response.text());
  const first = content.querySelector(".turn");
  link.closest(".earlier").replaceWith(content);
  window.scrollBy({ top: document.documentElement.scrollHeight - before, behavior: "instant" });
  if (focused && first) {
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
  }
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  localise(template.content);
  return template.content;
}

/** Times in the reader's zone; the title keeps UTC. */
export function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    const clock = { hour: "2-digit", minute: "2-digit" };
    const day = today ? {} : { day: "numeric", month: "short" };
    time.textContent = at.toLocaleString([], { ...day, ...clock });
  }
}

function greet() {
  if (welcome) welcome.hidden = turns.querySelector(".turn") !== null;
}

function atEnd() {
  const page = document.documentElement;
  return window.innerHeight + window.scrollY >= page.scrollHeight - NEAR_END_PIXELS;
}

export function toEnd() {
  if (!older && turns.querySelector(".turn")) window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
}
