// Gains of the learners that are on the boards of several suites: one row per learner, one column per suite.

import { element, paragraph } from "../../assets/dom.js";
import { MISSING, signed } from "../../assets/format.js";
import { section } from "../../assets/page.js";
import { dataTable } from "../../assets/table.js";
import { stackedEstimate } from "./entry-format.js";

// Return null without such learners.
export function gainsSection({ meaning, columns, suites, rows }) {
  if (!rows.length) return null;
  return section(
    "gains",
    "Gains by suite",
    paragraph("lead", meaning),
    dataTable({
      caption: "Gains by suite",
      columns: [...columns, ...suites],
      rows: rows.map(({ labels, cells }) => [...labels, ...cells.map((entries, i) => gainCell(entries, suites[i]))]),
      hideCaption: true,
    }),
  );
}

function gainCell(entries, suite) {
  if (!entries.length) return MISSING;
  return entries.map(({ slug, name, gain }) => {
    const href = `${encodeURIComponent(suite)}/entries/${slug}.html`;
    return element("a", { href, title: name }, stackedEstimate(gain, signed));
  });
}
