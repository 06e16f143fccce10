// Data tables. Where a table is wider than its box, its rows become cards, so that nothing is cut at any width.

import { element } from "./dom.js";
import { term } from "./terms.js";

const HEAT_LEVELS = 5;

// `columns` are column headings: names, which are explained if `terms.js` knows them, or { name, node }. `rows` are lists
// of cells (text or nodes) whose first cell heads the row.
export function dataTable({ caption, columns, rows, hideCaption = false }) {
  const names = columns.map((column) => column.name ?? column);
  const heads = columns.map((column) => columnHead({}, column.node ?? term(column)));
  const body = rows.map((cells) => tableRow(names, cells));
  return scrollBox(table({ caption, heads, body: element("tbody", { role: "rowgroup" }, body), hideCaption }), caption);
}

// Return a table of heads and a body. The roles are stated because the style of narrow tables would hide them.
export function table({ kind = null, caption, heads, body, hideCaption = false }) {
  return element(
    "table",
    { class: kind, role: "table" },
    element("caption", { class: hideCaption ? "visually-hidden" : null }, caption),
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, heads)),
    body,
  );
}

export function columnHead(attributes, ...content) {
  return element("th", { scope: "col", role: "columnheader", ...attributes }, content);
}

// Return a row; `names` are the columns' names, which stand beside the values where rows are cards.
export function tableRow(names, [first, ...rest], attributes = {}) {
  return element(
    "tr",
    { role: "row", ...attributes },
    element("th", { scope: "row", role: "rowheader", "data-label": names[0] }, first),
    rest.map((cell, index) => dataCell(names[index + 1], cell)),
  );
}

export function dataCell(name, content, attributes = {}) {
  return element("td", { role: "cell", "data-label": name, ...attributes }, content);
}

// Return a box whose content scrolls sideways, by keyboard too; a table becomes a list of cards instead.
export function scrollBox(content, label) {
  const box = element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, content);
  if (content.tagName === "TABLE") keepFitting(box);
  return box;
}

function keepFitting(box) {
  let fitted = 0;
  let scheduled = false;
  const later = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      fitted = box.offsetWidth;
      box.classList.remove("stacked");
      box.classList.toggle("stacked", box.scrollWidth > box.clientWidth);
    });
  };
  new ResizeObserver(() => box.offsetWidth !== fitted && later()).observe(box);
  new MutationObserver(later).observe(box, { childList: true, subtree: true });
}

// Return a collapsed table that holds the numbers of a chart.
export function foldedTable(table) {
  return element(
    "details",
    { class: "numbers" },
    element("summary", {}, `Numbers: ${table.caption}`),
    dataTable({ ...table, hideCaption: true }),
  );
}

// Return a table cell that is darker for a higher share (0 to 1).
export function heatCell(share, ...content) {
  const level = Math.ceil(Math.min(1, Math.max(0, share)) * HEAT_LEVELS);
  return element("span", { class: `heat-${level}` }, content);
}

// Return a bar of adjacent parts { share, kind }; shares that add up to less than 1 leave the end of the bar empty.
export function stackedBar(parts) {
  const nodes = parts.map(({ share, kind }) => {
    const part = element("span", { class: kind });
    part.style.flexGrow = share;
    return part;
  });
  return element("span", { class: "stack", "aria-hidden": "true" }, nodes);
}
