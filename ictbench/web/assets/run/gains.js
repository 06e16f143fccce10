// Gain against headroom, turns at which the best prompts appeared, and all measures as a table.

import { element, paragraph } from "../dom.js";
import { estimate, number, percent, range, signed, words } from "../format.js";
import { section } from "../page.js";
import { dataTable, foldedTable, heatCell } from "../table.js";
import { experienceTable } from "./experience.js";
import { entriesOf, familiesOf, nothingFinished, rolesOf } from "./families.js";
import { gainChart } from "./gain-chart.js";
import { runLegend } from "./learning-curves.js";
import { progressTable } from "./progress.js";
import { reliabilityTable } from "./reliability.js";
import { streamsView } from "./streams.js";

const SIGNED = ["gain", "last_gain", "headroom_gain", "over_blind", "overfitting_gap"];
const OWN_VIEW = ["curve", "stream", "online", "mixed", "reliability", "progress"];
const SHARES = ["negative_transfer", "negative_last_transfer"];

export function gainsSection(report) {
  const families = familiesOf(report);
  const entries = entriesOf([...families, ...rolesOf(report)]);
  return section(
    "gains",
    "Gains",
    runLegend(report),
    element("div", { class: "two-columns" }, headroomFigure(families), bestPromptFigure(families)),
    element("h3", {}, "All measures"),
    dataTable(measuresTable(entries)),
    progressTable(entries),
    experienceTable(entries),
    streamsView(entries),
    reliabilityTable(entries),
  );
}

function headroomFigure(families) {
  const measured = families.flatMap(({ label, entries }) =>
    entries
      .filter(({ family }) => family.measures)
      .map(({ position, name, family: { measures } }) => {
        const { base, gain } = measures;
        return { label, name, position, base: base.value, gain };
      }),
  );
  return element(
    "figure",
    {},
    element(
      "figcaption",
      {},
      element("h3", {}, "Gain against headroom"),
      paragraph(
        "faint",
        "Headroom: 1 \u2212 base, how far the success rate could rise. Gain: how far it rose. On the dashed line all of the " +
          "headroom is gained; vertical lines are 95 % intervals.",
      ),
    ),
    measured.length ? gainChart({ title: "Gain against headroom", families: measured }) : nothingFinished(),
    foldedTable({
      caption: "headroom and gain",
      columns: ["family", "headroom", "gain"],
      rows: measured.map(({ name, base, gain }) => [name, number(1 - base), estimate(gain, signed)]),
    }),
  );
}

function bestPromptFigure(families) {
  const entries = entriesOf(families).filter(({ family }) => family.loops.length);
  const indices = range(Math.max(0, ...entries.map(({ family }) => family.loops[0].prompts.length)));
  return element(
    "figure",
    { class: "heat" },
    element(
      "figcaption",
      {},
      element("h3", {}, "Index of the best prompt"),
      paragraph(
        "faint",
        "Number of loops whose best prompt has this index; of equally good prompts the earliest counts. Index 0 is " +
          "the suite\u2019s own prompt: no later one was better.",
      ),
    ),
    entries.length
      ? dataTable({
          caption: "loops by the index of their best prompt",
          columns: ["family", ...indices.map(String)],
          rows: entries.map(({ name, family }) => [name, ...indices.map((index) => bestPromptCell(family, index))]),
          hideCaption: true,
        })
      : nothingFinished(),
  );
}

function bestPromptCell({ loops }, index) {
  if (index >= loops[0].prompts.length) return "";
  const count = loops.filter((loop) => loop.best === index).length;
  return heatCell(count / loops.length, String(count));
}

// The table shows every measure that a result contains, whether or not this page knows it.
function measuresTable(entries) {
  const names = [...new Set(entries.flatMap(({ family }) => Object.keys(family.measures ?? {})))].filter(
    (name) => !OWN_VIEW.includes(name),
  );
  return {
    caption:
      "Success rates on test tasks; AUC and W\u2011AUC on selection tasks; overfitting gap on experience tasks. 95 % " +
      "intervals in brackets.",
    columns: ["family", ...names.map(measureHeading)],
    rows: entries.map(({ name: entry, family: { measures } }) => [
      entry,
      ...names.map((name) => (measures ? measureText(name, measures[name]) : "\u2026")),
    ]),
  };
}

function measureHeading(name) {
  return words(name).replace("auc", "AUC").replace("w ", "W\u2011");
}

function measureText(name, value) {
  const format = SHARES.includes(name) ? percent : SIGNED.includes(name) ? signed : number;
  return value !== null && typeof value === "object" ? estimate(value, format) : format(value);
}
