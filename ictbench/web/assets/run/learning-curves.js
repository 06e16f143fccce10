// Learning curves, and success rates under the base, best and last prompt: one panel per family.

import { legend } from "../chart.js";
import { element, paragraph } from "../dom.js";
import { estimate, MISSING, range, successRate } from "../format.js";
import { learningCurve } from "../learning-curve.js";
import { section } from "../page.js";
import { foldedTable } from "../table.js";
import { barChart } from "./bar-chart.js";
import { entriesOf, familiesOf, nothingFinished, rolesOf } from "./families.js";

export function learningCurvesSection(report) {
  const groups = [...rolesOf(report), ...familiesOf(report)];
  const several = report.runs.length > 1;
  return section(
    "success",
    "Learning curves",
    paragraph(
      "lead",
      "Curves: success rate of each prompt on selection tasks, with a 95 % interval if there are at least 3 loops" +
        (several ? ". " : "; thin lines are single loops. ") +
        "Bars: success rate on test tasks under the first (base), the best and the last prompt.",
    ),
    runLegend(report),
    element(
      "div",
      { class: "panels" },
      groups.map((group) => panel(group, several)),
    ),
    foldedTable(curveTable(entriesOf(groups))),
  );
}

export function runLegend(report) {
  return legend(
    report.runs.map(({ label }) => label),
    "Runs",
  );
}

function panel(group, several) {
  const measured = group.entries.filter(({ family }) => family.measures);
  const unfinished = group.entries.filter(({ family }) => !family.measures);
  return element(
    "article",
    { class: "panel", "aria-label": group.label },
    element("h3", {}, group.label, group.isMean ? null : element("span", { class: "tag" }, group.role)),
    measured.length ? charts(group, measured, several) : nothingFinished(),
    measured.length ? unfinished.map(({ run }) => paragraph("faint", `${run.label}: no loop has finished yet.`)) : null,
    group.note ? paragraph("faint", group.note) : null,
  );
}

// Single loops are drawn for one run only: those of several runs would cover each other.
function charts({ label }, entries, several) {
  const series = entries.map(({ run, position, family }) => ({
    name: run.label,
    position,
    points: family.curve,
    loops: several ? [] : (family.loops ?? []).map((loop) => loop.selection.map(successRate)),
  }));
  const groups = ["base", "best", "last"].map((name) => ({
    name,
    bars: entries.map(({ run, position, family }) => ({ name: run.label, position, ...family.measures[name] })),
  }));
  return [
    learningCurve({ title: `Learning curve, ${label}`, series }),
    barChart({ title: `Base, best and last, ${label}`, groups }),
  ];
}

function curveTable(entries) {
  const indices = range(Math.max(0, ...entries.map(({ family }) => family.curve.length)));
  return {
    caption: "success rate on selection tasks by prompt",
    columns: ["family", ...indices.map(String)],
    rows: entries.map(({ name, family: { curve } }) => [
      name,
      ...indices.map((index) => (index < curve.length ? estimate(curve[index]) : MISSING)),
    ]),
  };
}
