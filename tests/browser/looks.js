// What a look at the page finds wrong with it. Runs in the page, for the tests.

() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a),
    g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a),
    a: 1,
  });
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(parse(getComputedStyle(one).backgroundColor));
    }
    return layers.reduceRight((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  const faint = [];
  let texts = 0;
  const check = (element, style, text) => {
    const under = ground(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(over(parse(style.color), under), under);
    texts += 1;
    if (found < (large ? 3 : 4.5)) faint.push(`${found.toFixed(2)}: ${text.slice(0, 40)}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (text && seen(element)) check(element, getComputedStyle(element), text);
  }
  for (const field of document.querySelectorAll("[placeholder]")) {
    check(field, getComputedStyle(field, "::placeholder"), field.placeholder);
  }

  const nameless = [...document.querySelectorAll("a, button, input, select, textarea, summary, img, video, progress, [role]")]
    .filter((one) => seen(one) && one.type !== "hidden")
    .filter((one) => {
      const label = one.ariaLabel || one.alt || one.textContent.trim() || one.labels?.[0]?.textContent.trim();
      return !label && !["status", "alert"].includes(one.getAttribute("role"));
    })
    .map((one) => one.outerHTML.slice(0, 120));

  const wide = [...document.body.querySelectorAll("*")]
    .filter((one) => seen(one) && !one.closest(".unseen, .skip, .pick"))
    .filter((one) => {
      const box = one.getBoundingClientRect();
      return box.width && (box.right > innerWidth + 0.5 || box.left < -0.5);
    })
    .map((one) => one.outerHTML.slice(0, 120));

  const root = document.documentElement;
  return { faint, texts, nameless, wide, sideways: root.scrollWidth - root.clientWidth };
}
