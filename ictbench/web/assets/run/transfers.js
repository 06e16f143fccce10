// Prompts that were learned with one actor and played by another, on the same test tasks.

import { element, paragraph } from "../dom.js";
import { estimate, pValue, signed } from "../format.js";
import { section } from "../page.js";
import { dataTable } from "../table.js";

// Return null without transfers. `nameOf` makes a run's or an entry's name from { name, slug }.
export function transfersSection({ transfers }, nameOf = ({ name }) => name) {
  if (!transfers.length) return null;
  return section(
    "transfers",
    "Prompts played by another actor",
    paragraph(
      "lead",
      "Gain of the recorded prompts for the actor with which they were learned, and for another actor on the same test " +
        "tasks. Each actor\u2019s gain is over its own success under the first prompt. P-values compare whole loops.",
    ),
    transfers.map((transfer) => transferView(transfer, nameOf)),
  );
}

function transferView({ reflector, learner, player, source, played, rows }, nameOf) {
  const title = `Prompts that ${reflector} learned with ${learner}, played by ${player}`;
  const columns = [
    "family",
    "loops",
    "learner\u2019s gain",
    "player\u2019s gain",
    "difference [95 %]",
    "p",
    "p, corrected",
    "last gains",
  ];
  return [
    element("h3", { class: "kind" }, title),
    paragraph("faint", "Learned in ", nameOf(source), ", played in ", nameOf(played), "."),
    dataTable({
      caption: title,
      columns,
      rows: rows.map((row) => [
        row.name,
        String(row.loops),
        estimate(row.gain, signed),
        estimate(row.transferred_gain, signed),
        estimate(row.difference, signed),
        pValue(row.p),
        pValue(row.p_corrected),
        `${signed(row.last_gain.value)}, ${signed(row.transferred_last_gain.value)}`,
      ]),
      hideCaption: true,
    }),
  ];
}
