// Flags in a line of text: finding, writing and completing them, in the grammar of core/prompt.py.

const FLAG = /(^|\s)(?:--|[\u2010-\u2014\u2212])([a-z]+)(?![a-z])/gi;
const VALUE = /^(?:=|\s+(?!--|[\u2010-\u2014\u2212][a-z]))("[^"]*"?|\u201c[^\u201d]*\u201d?|'[^']*'|\S+)/i;
const SWITCHES = new Set(["loop", "draft", "fast", "relaxed", "quote"]);

/** Every flag in `text`: its name, its value without quotes, and where it stands. */
export function find(text) {
  const found = [];
  for (const match of text.matchAll(FLAG)) {
    const name = match[2].toLowerCase();
    const start = match.index + match[1].length;
    const named = match.index + match[0].length;
    const valued = SWITCHES.has(name) ? null : VALUE.exec(text.slice(named));
    const value = valued ? valued[1].replace(/^["'\u201c]|["'\u201d]$/g, "") : "";
    found.push({ name, value, start, end: named + (valued ? valued[0].length : 0) });
  }
  return found;
}

/** `text` with a flag set to `value`, in its place or at the end; without it where value is "". */
export function set(text, name, value) {
  const written = value && `--${name} ${quoted(value)}`;
  const known = find(text).find((flag) => flag.name === name);
  if (!known) return written ? `${text.trimEnd()} ${written}`.trimStart() : text;
  const before = text.slice(0, known.start);
  const after = text.slice(known.end);
  return written ? before + written + after : (before.trimEnd() + after).trimStart();
}

function quoted(value) {
  return /\s/.test(value) ? `"${value}"` : value;
}

/** What the text before the caret asks to be completed: {from, options: [{write, name, hint}]}. */
export function offers(before, flags, values) {
  const naming = /(?:^|\s)(?:--|\u2014)([a-z]*)$/i.exec(before);
  if (naming) {
    const typed = naming[1].toLowerCase();
    const used = new Set(find(before.slice(0, naming.index)).map((flag) => flag.name));
    const options = flags
      .filter((flag) => flag.name.startsWith(typed) && !used.has(flag.name))
      .map((flag) => ({ write: `--${flag.name} `, name: `--${flag.name}`, hint: flag.allowed }));
    return { from: naming.index + naming[0].search(/[-\u2014]/), options };
  }
  const valuing = /(?:^|\s)--(ar|res|model|camera)(?:=|\s+)("?)([^"]*)$/i.exec(before);
  if (!valuing) return { from: 0, options: [] };
  const name = valuing[1].toLowerCase();
  const typed = valuing[3].toLowerCase();
  const known = values[name] ?? [];
  if (known.includes(typed) && !valuing[2]) return { from: 0, options: [] };
  const options = known
    .filter((value) => value.startsWith(typed))
    .map((value) => ({ write: `${quoted(value)} `, name: value, hint: "" }));
  return { from: before.length - valuing[3].length - valuing[2].length, options };
}

/** The list over the composer. Arrow keys choose, Enter and Tab take, Escape closes. */
export class Completion {
  constructor(area, list, flags, values, taken) {
    Object.assign(this, { area, list, flags, values, taken, options: [], at: 0, from: 0 });
    area.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const item = event.target.closest("li");
      if (item) this.take([...list.children].indexOf(item));
    });
  }

  look() {
    const { selectionStart, selectionEnd, value } = this.area;
    const offered = offers(value.slice(0, selectionStart), this.flags, this.values);
    if (selectionStart !== selectionEnd || !offered.options.length) return this.close();
    this.options = offered.options;
    this.from = offered.from;
    this.list.replaceChildren(...offered.options.map(item));
    this.list.hidden = false;
    this.choose(0);
  }

  choose(at) {
    this.at = (at + this.options.length) % this.options.length;
    [...this.list.children].forEach((child, index) => {
      child.setAttribute("aria-selected", String(index === this.at));
      if (index === this.at) child.scrollIntoView({ block: "nearest" });
    });
    this.area.setAttribute("aria-activedescendant", `flag-${this.at}`);
  }

  take(at) {
    const caret = this.area.selectionStart;
    this.area.setRangeText(this.options[at].write, this.from, caret, "end");
    this.close();
    this.taken();
  }

  close() {
    this.options = [];
    this.list.hidden = true;
    this.list.replaceChildren();
    this.area.removeAttribute("aria-activedescendant");
  }

  /** Whether the key was for the list. */
  key(event) {
    if (!this.options.length) return false;
    if (event.key === "ArrowDown") this.choose(this.at + 1);
    else if (event.key === "ArrowUp") this.choose(this.at - 1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey)) this.take(this.at);
    else return false;
    event.preventDefault();
    return true;
  }
}

function item(option, index) {
  const line = document.createElement("li");
  line.id = `flag-${index}`;
  line.setAttribute("role", "option");
  const name = document.createElement("b");
  name.textContent = option.name;
  const hint = document.createElement("span");
  hint.textContent = option.hint;
  line.append(name, hint);
  return line;
}
