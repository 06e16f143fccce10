// Tables that scroll in a box of their own where they are wider than the page.

import { element } from "./dom.js";

// `columns` are headings; `rows` lists of cells, text or nodes, the first of which heads its row.
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
    element("caption", { class: hideCaption ? "spoken" : null }, caption),
    element("thead", {}, head),
    element("tbody", {}, body),
  );
  return scrollBox(table, caption);
}

// A box that scrolls sideways, by keyboard too.
export function scrollBox(content, label) {
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, content);
}

// A table that is there for those who want the numbers of a chart.
export function foldedTable(table) {
  return element(
    "details",
    { class: "numbers" },
    element("summary", {}, `Numbers: ${table.caption}`),
    dataTable({ ...table, hideCaption: true }),
  );
}
