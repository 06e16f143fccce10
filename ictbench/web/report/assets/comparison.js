// Paired differences of several runs from the first one, with intervals and p-values.

import { element, paragraph } from "../../assets/dom.js";
import { estimate, number, pValue, signed } from "../../assets/format.js";
import { section } from "../../assets/page.js";
import { dataTable } from "../../assets/table.js";

// Return null for a report of one run.
export function comparisonSection({ comparison }) {
  if (!comparison) return null;
  const { reference, arms, missing } = comparison;
  return section(
    "comparison",
    "Differences",
    paragraph(
      "lead",
      `Success rate on test tasks under the best prompt, minus that of ${reference} on the same tasks. P-values compare ` +
        "whole loops; Holm\u2019s correction is for all families and runs.",
    ),
    arms.map((arm) => armView(arm, reference)),
    missing.map(({ label, reason }) => paragraph("note warn", `${label} is not compared with ${reference}: ${reason}.`)),
  );
}

function armView({ label, rows, verdict }, reference) {
  return [
    element("h3", { class: "kind" }, `${label} minus ${reference}`),
    dataTable({
      caption: `Differences of ${label} from ${reference}`,
      columns: ["family", reference, label, "difference [95 %]", "p", "p, corrected", "wins / ties / losses"],
      rows: rows.map((row) => [
        row.name,
        number(row.reference),
        number(row.other),
        estimate(row.difference, signed),
        pValue(row.p),
        pValue(row.p_corrected),
        `${row.wins} / ${row.ties} / ${row.losses}`,
      ]),
      hideCaption: true,
    }),
    element(
      "ul",
      { class: "remarks" },
      verdict.map((line) => element("li", {}, line)),
    ),
  ];
}
