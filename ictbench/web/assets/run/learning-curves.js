// Learning curves, and success rates under the base, best and last prompt: one panel per family.

import { legend } from "../chart.js";
import { element } from "../dom.js";
import { estimate, MISSING, successRate } from "../format.js";
import { learningCurve } from "../learning-curve.js";
import { section } from "../page.js";
import { foldedTable } from "../table.js";
import { barChart } from "./bar-chart.js";
import { familiesOf, rolesOf } from "./families.js";

export function learningCurvesSection(report) {
  const groups = [...rolesOf(report), ...familiesOf(report)];
  const several = report.runs.length > 1;
  return section(
    "success",
    "Learning curves",
    element(
      "p",
      { class: "lead" },
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
    foldedTable(curveTable(groups)),
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
    measured.length ? charts(group, measured, several) : element("p", { class: "faint" }, "No loop has finished yet."),
    measured.length && unfinished.length
      ? element(
          "p",
          { class: "faint" },
          unfinished.map(({ run }) => `${run.label}: no loop has finished yet. `),
        )
      : null,
    group.note ? element("p", { class: "faint" }, group.note) : null,
  );
}

function charts(group, measured, several) {
  return [
    learningCurve({
      title: `Learning curve, ${group.label}`,
      series: measured.map((entry) => curveSeries(entry, several)),
    }),
    barChart({
      title: `Base, best and last, ${group.label}`,
      groups: ["base", "best", "last"].map((name) => barGroup(name, measured)),
    }),
  ];
}

// Single loops are drawn for one run only: those of several runs would cover each other.
function curveSeries({ run, position, family }, several) {
  const loops = several ? [] : (family.loops ?? []).map((loop) => loop.selection.map(successRate));
  return { name: run.label, position, points: family.curve, loops };
}

function barGroup(name, entries) {
  return {
    name,
    bars: entries.map(({ run, position, family }) => ({ name: run.label, position, ...family.measures[name] })),
  };
}

function curveTable(groups) {
  const curves = groups.flatMap(({ label, entries }) =>
    entries.map(({ run, family }) => [`${label}, ${run.label}`, family.curve.map((point) => estimate(point))]),
  );
  const prompts = Math.max(0, ...curves.map(([, points]) => points.length));
  const indices = Array.from({ length: prompts }, (_, index) => index);
  return {
    caption: "success rate on selection tasks by prompt",
    columns: ["family, run", ...indices.map(String)],
    rows: curves.map(([name, points]) => [name, ...indices.map((index) => points[index] ?? MISSING)]),
  };
}
