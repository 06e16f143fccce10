// Gain against headroom, turns at which the best prompts appeared, and all measures as a table.

import { element } from "../dom.js";
import { estimate, number, percent, signed, words } from "../format.js";
import { section } from "../page.js";
import { dataTable, foldedTable, heatCell } from "../table.js";
import { familiesOf, rolesOf } from "./families.js";
import { gainChart } from "./gain-chart.js";
import { runLegend } from "./learning-curves.js";

const SIGNED = ["gain", "last_gain", "headroom_gain", "over_blind", "overfitting_gap"];
const SHARES = ["negative_transfer", "negative_last_transfer"];

export function gainsSection(report) {
  const families = familiesOf(report);
  return section(
    "gains",
    "Gains",
    runLegend(report),
    element("div", { class: "two-columns" }, headroomFigure(families, report), bestPromptFigure(families, report)),
    element("h3", {}, "All measures"),
    dataTable(measuresTable([...families, ...rolesOf(report)], report)),
  );
}

function headroomFigure(families, report) {
  const points = families.flatMap(({ label, entries }) =>
    entries
      .filter(({ family }) => family.measures)
      .map(({ run, position, family: { measures } }) => ({
        name: label,
        rowName: rowName(report, label, run),
        position,
        base: measures.base.value,
        gain: measures.gain,
      })),
  );
  return element(
    "figure",
    {},
    element("figcaption", {}, element("h3", {}, "Gain against headroom")),
    points.length ? gainChart({ title: "Gain against headroom", points }) : nothingFinished(),
    foldedTable({
      caption: "headroom and gain",
      columns: ["family", "headroom", "gain"],
      rows: points.map(({ rowName: name, base, gain }) => [name, number(1 - base), estimate(gain, signed)]),
    }),
  );
}

function bestPromptFigure(families, report) {
  const counts = families.flatMap(({ label, entries }) =>
    entries
      .filter(({ family }) => family.loops.length)
      .map(({ run, family }) => [rowName(report, label, run), bestPromptCounts(family.loops)]),
  );
  const prompts = Math.max(0, ...counts.map(([, row]) => row.length));
  const indices = Array.from({ length: prompts }, (_, index) => index);
  return element(
    "figure",
    { class: "heat" },
    element(
      "figcaption",
      {},
      element("h3", {}, "Index of the best prompt"),
      element(
        "p",
        { class: "faint" },
        "Number of loops whose best prompt has this index; of equally good prompts the earliest counts. Index 0 is the " +
          "suite\u2019s own prompt: no later one was better.",
      ),
    ),
    counts.length
      ? dataTable({
          caption: "loops by the index of their best prompt",
          columns: ["family", ...indices.map(String)],
          rows: counts.map(([name, row]) => [name, ...indices.map((index) => countCell(row, index))]),
          hideCaption: true,
        })
      : nothingFinished(),
  );
}

function bestPromptCounts(loops) {
  const counts = Array(loops[0].prompts.length).fill(0);
  for (const loop of loops) counts[loop.best] += 1;
  return counts;
}

function countCell(counts, index) {
  if (counts[index] === undefined) return "";
  const total = counts.reduce((sum, count) => sum + count, 0);
  return heatCell(counts[index] / total, String(counts[index]));
}

// The table shows every measure that a result contains, whether or not this page knows it.
function measuresTable(groups, report) {
  const entries = groups.flatMap(({ label, entries: each }) => each.map((entry) => ({ label, ...entry })));
  const names = [...new Set(entries.flatMap(({ family }) => Object.keys(family.measures ?? {})))].filter(
    (name) => name !== "curve",
  );
  return {
    caption:
      "Success rates on test tasks; AUC and W\u2011AUC on selection tasks; overfitting gap on experience tasks. 95 % " +
      "intervals in brackets.",
    columns: ["family", ...names.map(measureHeading)],
    rows: entries.map(({ label, run, family: { measures } }) => [
      rowName(report, label, run),
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

function rowName(report, label, run) {
  return report.runs.length > 1 ? `${label}, ${run.label}` : label;
}

function nothingFinished() {
  return element("p", { class: "faint" }, "No loop has finished yet.");
}
