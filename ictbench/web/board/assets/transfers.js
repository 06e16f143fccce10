// Prompts of entries that the actors of other entries played: one row per role, with links to the families of each.

import { element, paragraph } from "../../assets/dom.js";
import { pValue, signed } from "../../assets/format.js";
import { section } from "../../assets/page.js";
import { dataTable } from "../../assets/table.js";
import { stackedEstimate } from "./entry-format.js";

const COLUMNS = [
  "prompts of",
  "learned with",
  "played by",
  "families",
  "learner\u2019s gain",
  "player\u2019s gain",
  "difference [95 %]",
  "p",
];

// Return null without transfers.
export function boardTransfersSection({ transfers }) {
  if (!transfers.length) return null;
  return section(
    "transfers",
    "Prompts played by other actors",
    paragraph(
      "lead",
      "Entries whose actor played the prompts that another entry learned with its own actor, on the same test tasks. The " +
        "board has replayed both. The page of each entry shows its families.",
    ),
    element(
      "div",
      { class: "unranked" },
      dataTable({
        caption: "Prompts played by other actors",
        columns: COLUMNS,
        rows: transfers.flatMap(transferRows),
        hideCaption: true,
      }),
    ),
  );
}

function transferRows({ learner, player, source, played, rows }) {
  return rows
    .filter(({ family }) => family === null)
    .map((row) => [
      pageLink(source),
      learner,
      [player, " in ", pageLink(played)],
      row.name,
      stackedEstimate(row.gain, signed),
      stackedEstimate(row.transferred_gain, signed),
      stackedEstimate(row.difference, signed),
      pValue(row.p),
    ]);
}

function pageLink({ name, slug }) {
  return element("a", { href: `entries/${slug}.html#transfers` }, name);
}
