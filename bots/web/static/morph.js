// Makes one tree look like another with as few changes as will do, so that focus stays where it
// is, a playing clip plays on, and a preview is shown until the next has loaded.

const KEPT = new Set(["open"]);

/** `old` takes the attributes and children of `fresh`, which is used up. */
export function morph(old, fresh) {
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  }
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    let match = next;
    while (match && !alike(match, child)) match = match.nextSibling;
    if (!match) {
      old.insertBefore(child, next);
      continue;
    }
    while (next !== match) next = removed(next);
    if (match.nodeType === Node.ELEMENT_NODE) morph(match, child);
    else if (match.nodeValue !== child.nodeValue) match.nodeValue = child.nodeValue;
    next = match.nextSibling;
  }
  while (next) next = removed(next);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function alike(one, other) {
  if (one.nodeName !== other.nodeName) return false;
  return one.nodeType !== Node.ELEMENT_NODE || key(one) === key(other);
}

function key(element) {
  return element.id || element.dataset.act || element.classList[0] || "";
}
