// What all charts have in common: the picture with its name and description, axes from 0 to 1, marks, error bars.

import { svgElement, uniqueId } from "./dom.js";

// Colours are given out by position: a run has the same one in every chart.
export function seriesClass(position) {
  return `series-${position % 6}`;
}

export function picture({ width, height, title, description, kind }, ...children) {
  const [titleId, descriptionId] = [uniqueId("title"), uniqueId("description")];
  return svgElement(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      class: `chart ${kind}`,
      "aria-labelledby": `${titleId} ${descriptionId}`,
    },
    svgElement("title", { id: titleId }, title),
    svgElement("desc", { id: descriptionId }, description),
    ...children,
  );
}

// A linear scale from a domain to coordinates.
export function scale([from, to], [start, end]) {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
}

export function line(x1, y1, x2, y2, kind) {
  return svgElement("line", { x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), class: kind });
}

export function label(x, y, text, kind = "") {
  return svgElement("text", { x: round(x), y: round(y), class: `label ${kind}` }, text);
}

// A mark's shape tells series apart where colours do not.
export function mark(x, y, position, data, tip, size = 3.2) {
  const shape = [circle, square, diamond][position % 3](round(x), round(y), size);
  for (const [name, value] of Object.entries(data)) shape.setAttribute(`data-${name}`, value);
  shape.classList.add("mark", seriesClass(position));
  shape.append(svgElement("title", {}, tip));
  return shape;
}

export function round(value) {
  return Math.round(value * 100) / 100;
}

function circle(x, y, size) {
  return svgElement("circle", { cx: x, cy: y, r: size });
}

function square(x, y, size) {
  return svgElement("rect", { x: x - size, y: y - size, width: 2 * size, height: 2 * size });
}

function diamond(x, y, size) {
  const reach = size * 1.35;
  return svgElement("path", { d: `M${x} ${y - reach}L${x + reach} ${y}L${x} ${y + reach}L${x - reach} ${y}Z` });
}
