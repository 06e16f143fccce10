// Gain against headroom, where the best prompt fell, and all measures as a table.

import { element } from "./dom.js";
import { familiesOf, rolesOf } from "./families.js";
import { estimate, number, percent, signed, words } from "./format.js";
import { gainChart } from "./gain.js";
import { legend } from "./success.js";
import { dataTable, foldedTable } from "./table.js";

const SIGNED = ["gain", "last_gain", "headroom_gain", "over_blind", "overfitting_gap"];
const SHARES = ["negative_transfer", "negative_last_transfer"];
const DARKEST = 5;

export function gainsSection(report) {
  const families = familiesOf(report);
  return element(
    "section",
    { id: "gains", "aria-labelledby": "gains-heading" },
    element("h2", { id: "gains-heading" }, "Gains"),
    legend(report.runs),
    element("div", { class: "pair" }, headroom(families, report), bestTurns(families, report)),
    element("h3", {}, "All measures"),
    dataTable(measuresTable([...families, ...rolesOf(report)])),
  );
}

function headroom(families, report) {
  const several = report.runs.length > 1;
  const points = families.flatMap(({ label, entries }) =>
    entries
      .filter(({ family }) => family.measures)
      .map(({ run, position, family: { measures } }) => ({
        name: label,
        full: several ? `${label}, ${run.label}` : label,
        position,
        base: measures.base.value,
        gain: measures.gain,
      })),
  );
  const rows = points.map(({ full, base, gain }) => [full, number(1 - base), estimate(gain, signed)]);
  return element(
    "figure",
    {},
    element("figcaption", {}, element("h3", {}, "Gain against headroom")),
    points.length
      ? gainChart({ title: "Gain against headroom", points })
      : element("p", { class: "faint" }, "No loop is finished yet."),
    foldedTable({ caption: "headroom and gain", columns: ["family", "headroom", "gain"], rows }),
  );
}

function bestTurns(families, report) {
  const several = report.runs.length > 1;
  const counted = families.flatMap(({ label, entries }) =>
    entries
      .filter(({ family }) => family.loops.length)
      .map(({ run, family }) => [several ? `${label}, ${run.label}` : label, tally(family.loops)]),
  );
  const most = Math.max(0, ...counted.map(([, counts]) => counts.length));
  const rows = counted.map(([name, counts]) => [
    name,
    ...Array.from({ length: most }, (_, index) => cell(counts, index)),
  ]);
  return element(
    "figure",
    { class: "heat" },
    element(
      "figcaption",
      {},
      element("h3", {}, "Where the best prompt fell"),
      element(
        "p",
        { class: "faint" },
        "Loops by the number of their best prompt, the earliest on ties. 0 is the suite's own, which nothing beat.",
      ),
    ),
    counted.length
      ? dataTable({
          caption: "loops by their best prompt",
          columns: ["family", ...Array.from({ length: most }, (_, index) => String(index))],
          rows,
          hideCaption: true,
        })
      : element("p", { class: "faint" }, "No loop is finished yet."),
  );
}

function tally(loops) {
  const counts = Array(loops[0].prompts.length).fill(0);
  for (const loop of loops) counts[loop.best] += 1;
  return counts;
}

function cell(counts, index) {
  if (counts[index] === undefined) return "";
  const share = counts[index] / counts.reduce((sum, each) => sum + each, 0);
  return element("span", { class: `heat-${Math.ceil(share * DARKEST)}` }, String(counts[index]));
}

// Every measure that a result holds, whether or not this page knows it.
function measuresTable(groups) {
  const entries = groups.flatMap(({ label, entries: each }) => each.map((entry) => ({ label, ...entry })));
  const names = [...new Set(entries.flatMap(({ family }) => Object.keys(family.measures ?? {})))].filter(
    (name) => name !== "curve",
  );
  const runs = new Set(entries.map(({ run }) => run.label));
  const rows = entries.map(({ label, run, family }) => [
    runs.size > 1 ? `${label}, ${run.label}` : label,
    ...(family.measures ? names.map((name) => measure(name, family.measures[name])) : names.map(() => "\u2026")),
  ]);
  return {
    caption: "Success on test tasks, AUC and W\u2011AUC on selection tasks, overfitting gap on experience; 95 % intervals in brackets",
    columns: ["family", ...names.map(heading)],
    rows,
  };
}

function heading(name) {
  return words(name).replace("auc", "AUC").replace("w ", "W\u2011");
}

function measure(name, value) {
  const write = SHARES.includes(name) ? percent : SIGNED.includes(name) ? signed : number;
  return value !== null && typeof value === "object" ? estimate(value, write) : write(value);
}
