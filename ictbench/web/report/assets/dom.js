// Builds elements. Text goes in as text alone: nothing that a run holds is ever read as markup.

import { visible } from "./visible.js";

const SVG = "http://www.w3.org/2000/svg";

let lastId = 0;

export function uniqueId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

// Attributes that are null or false are left out, functions listen to the event of their name. Children are nodes,
// text, or lists of them; null is left out.
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svgElement(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

// Text for screen readers alone.
export function spoken(text) {
  return element("span", { class: "spoken" }, text);
}

// A list to choose from: options are [value, text] pairs.
export function picker(label, options, onchange) {
  const select = element("select", { change: () => onchange(select.value) });
  setOptions(select, options);
  return { node: element("label", { class: "picker" }, element("span", {}, label), select), select };
}

// Keeps what is chosen, where it can still be chosen.
export function setOptions(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  if (options.some(([value]) => String(value) === chosen)) select.value = chosen;
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined)
      .map(asNode),
  );
  return node;
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(visible(child));
}
