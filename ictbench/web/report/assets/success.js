// Learning curves and the bars of base, best and last, a card a family.

import { barChart } from "./bars.js";
import { curveChart } from "./curve.js";
import { element } from "./dom.js";
import { familiesOf, rolesOf } from "./families.js";
import { estimate, success } from "./format.js";
import { seriesClass } from "./frame.js";
import { foldedTable } from "./table.js";

export function successSection(report) {
  const groups = [...rolesOf(report), ...familiesOf(report)];
  return element(
    "section",
    { id: "success", "aria-labelledby": "success-heading" },
    element("h2", { id: "success-heading" }, "Learning curves"),
    element(
      "p",
      { class: "lead" },
      "Curve: success of each prompt on selection tasks, with its 95 % interval where there are 3 loops or more" +
        (report.runs.length > 1 ? ". " : "; thin lines are single loops. ") +
        "Bars: success on test tasks under the first, the best and the last prompt.",
    ),
    legend(report.runs),
    element(
      "div",
      { class: "panels" },
      groups.map((group) => panel(group, report.runs.length > 1)),
    ),
    foldedTable(curveTable(groups)),
  );
}

export function legend(runs) {
  if (runs.length < 2) return null;
  const items = runs.map((run, position) =>
    element("li", { class: seriesClass(position) }, element("span", { class: "swatch" }), run.label),
  );
  return element("ul", { class: "legend", "aria-label": "Runs" }, items);
}

function panel(group, several) {
  const measured = group.entries.filter(({ family }) => family.measures);
  const body = measured.length
    ? [
        curveChart({
          title: `Learning curve, ${group.label}`,
          series: measured.map((entry) => seriesOf(entry, several)),
        }),
        barChart({
          title: `Base, best and last, ${group.label}`,
          groups: ["base", "best", "last"].map((name) => barsOf(name, measured)),
        }),
      ]
    : element("p", { class: "faint" }, "No loop is finished yet.");
  const missing = several
    ? group.entries.filter(({ family }) => !family.measures).map(({ run }) => `${run.label}: no loop is finished yet.`)
    : [];
  return element(
    "article",
    { class: "panel", "aria-label": group.label },
    element("h3", {}, group.label, group.isMean ? null : element("span", { class: "tag" }, group.role)),
    body,
    measured.length && missing.length ? element("p", { class: "faint" }, missing.join(" ")) : null,
    group.note ? element("p", { class: "faint" }, group.note) : null,
  );
}

// The loops of several runs would cover each other.
function seriesOf({ run, position, family }, several) {
  const loops = several ? [] : (family.loops ?? []).map((loop) => loop.selection.map(success));
  return { name: run.label, position, points: family.curve, loops };
}

function barsOf(name, entries) {
  return {
    name,
    bars: entries.map(({ run, position, family }) => ({ name: run.label, position, ...family.measures[name] })),
  };
}

function curveTable(groups) {
  const rows = groups.flatMap(({ label, entries }) =>
    entries.map(({ run, family }) => [`${label}, ${run.label}`, family.curve.map((point) => estimate(point))]),
  );
  const prompts = Math.max(0, ...rows.map(([, points]) => points.length));
  const cells = rows.map(([name, points]) => [
    name,
    ...Array.from({ length: prompts }, (_, index) => points[index] ?? "\u2013"),
  ]);
  return {
    caption: "success on selection tasks by prompt",
    columns: ["family, run", ...Array.from({ length: prompts }, (_, index) => String(index))],
    rows: cells,
  };
}
