/**
 * What a browser can say about a page. Each function runs in the page, so it can use nothing from outside itself. It is not
 * TypeScript because the types of the DOM contradict Deno's.
 */

/** Elements that are wider than the window. */
export function wideElements() {
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll("body *")]
    .filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      return left < -0.5 && right > 0 || right > width + 0.5;
    })
    .map((element) => `${element.tagName} ${element.textContent?.slice(0, 60)}`);
}

/** Texts with less contrast than 4.5:1 (WCAG AA). */
export function lowContrast() {
  const rgb = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r = 0, g = 0, b = 0] = rgb(color).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    if (element === null) return "rgb(255,255,255)";
    const { backgroundColor } = getComputedStyle(element);
    return rgb(backgroundColor)[3] === 0 ? background(element.parentElement) : backgroundColor;
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const check = (element, part) => {
    const { color } = getComputedStyle(element, part);
    const ratio = contrast(luminance(color), luminance(background(element)));
    return ratio < 4.5
      ? [`${ratio.toFixed(2)} ${part ?? ""} ${element.tagName} ${element.textContent?.slice(0, 60)}`]
      : [];
  };
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim() !== "")
  );
  return [
    ...texts.flatMap((element) => check(element)),
    ...[...document.querySelectorAll("td[data-h]")].flatMap((element) => check(element, "::before")),
    ...[...document.querySelectorAll("input")].flatMap((element) => check(element, "::placeholder")),
  ];
}

/** Links, fields and buttons that are lower than so many pixels. */
export function smallTargets(pixels) {
  return [...document.querySelectorAll("a, button, input")]
    .filter((element) => element.offsetHeight < pixels && element.type !== "hidden")
    .map((element) => `${element.offsetHeight} px: ${element.tagName} ${element.textContent}`);
}
