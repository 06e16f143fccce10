// Data tables. A table that is wider than the page scrolls in its own box.

import { element } from "./dom.js";

const HEAT_LEVELS = 5;

// `columns` are column headings; `rows` are lists of cells (text or nodes) whose first cell heads the row.
export function dataTable({ caption, columns, rows, hideCaption = false }) {
  const head = element(
    "tr",
    {},
    columns.map((column) => element("th", { scope: "col" }, column)),
  );
  const body = rows.map(([first, ...rest]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, first),
      rest.map((cell) => element("td", {}, cell)),
    ),
  );
  const table = element(
    "table",
    {},
    element("caption", { class: hideCaption ? "visually-hidden" : null }, caption),
    element("thead", {}, head),
    element("tbody", {}, body),
  );
  return scrollBox(table, caption);
}

// Return a box that scrolls sideways, by keyboard too.
export function scrollBox(content, label) {
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, content);
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
