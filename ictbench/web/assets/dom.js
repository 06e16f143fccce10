// Element builders. Text is always inserted as text: nothing that a run contains is parsed as markup.

import { visible } from "./visible.js";

const SVG = "http://www.w3.org/2000/svg";

let lastId = 0;

export function uniqueId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

// Return an HTML element. Attributes that are null or false are omitted; a function becomes a listener for the event of
// its name. Children are nodes, text, or nested lists of them; null is omitted.
export function element(name, attributes = {}, ...children) {
  return build(document.createElement(name), attributes, children);
}

export function svgElement(name, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, name), attributes, children);
}

// Return text for screen readers only.
export function screenReaderText(text) {
  return element("span", { class: "visually-hidden" }, text);
}

export function paragraph(kind, ...children) {
  return element("p", { class: kind }, children);
}

// Return a list of [name, value] pairs.
export function definitionList(kind, pairs) {
  return element(
    "dl",
    { class: kind },
    pairs.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

// Return { node, select }: a labelled drop-down list. `options` are texts or [value, text] pairs.
export function picker(label, options, onchange) {
  const select = element("select", { change: () => onchange(select.value) });
  setOptions(select, options);
  return { node: element("label", { class: "picker" }, element("span", {}, label), select), select };
}

// Replace the options, keeping the selected value if it is still among them.
export function setOptions(select, options) {
  const selected = select.value;
  const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  select.replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
  if (pairs.some(([value]) => String(value) === selected)) select.value = selected;
}

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined)
      .map(toNode),
  );
  return node;
}

function toNode(child) {
  return child instanceof Node ? child : document.createTextNode(visible(child));
}
