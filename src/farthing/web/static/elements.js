// Building elements. Text is always set as text, never as markup: names come from files.

/** An element with attributes, listeners ("onclick") and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const find = (id) => document.getElementById(id);

export const count = (number) => number.toLocaleString("en");

/** "1 image", "2,000 images", "3 classes". */
export const plural = (number, noun) =>
  `${count(number)} ${noun}${number === 1 ? "" : noun.endsWith("s") ? "es" : "s"}`;

/** "drop_capital" as people write it. */
export const words = (name) => name.replaceAll("_", " ");

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
