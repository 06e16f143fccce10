// How actor and reflector behaved, and how test episodes ended.

import { element } from "./dom.js";
import { familiesOf } from "./families.js";
import { count, estimate, percent, words } from "./format.js";
import { dataTable } from "./table.js";

const ENDS = ["solved", "step_limit", "env_ended", "died", "failed"];

export function behaviourSection(report) {
  const several = report.runs.length > 1;
  const entries = familiesOf(report).flatMap(({ label, entries: each }) =>
    each.map(({ run, family }) => ({
      name: several ? `${label}, ${run.label}` : label,
      behaviour: family.behaviour,
      loops: family.loops,
    })),
  );
  return element(
    "section",
    { id: "behaviour", "aria-labelledby": "behaviour-heading" },
    element("h2", { id: "behaviour-heading" }, "Behaviour"),
    dataTable({
      caption: "Actor and reflector by family",
      columns: [
        "family",
        "invalid, base",
        "invalid, best",
        "episodes failed by the model",
        "reflections not used",
        "prompt bytes",
        "prompt change a turn",
        "change after an all-solved batch",
        "starts met before",
      ],
      rows: entries.map(({ name, behaviour, loops }) => [
        name,
        ...(behaviour ? cells(behaviour, loops) : Array(8).fill("\u2026")),
      ]),
    }),
    dataTable({
      caption: "How test episodes under the best prompts ended",
      columns: ["family", "share", ...ENDS.map(words)],
      rows: entries.map(({ name, behaviour }) => [
        name,
        ...(behaviour ? endCells(behaviour.ends) : Array(1 + ENDS.length).fill("\u2026")),
      ]),
    }),
  );
}

function cells(behaviour, loops) {
  const reflections = loops.reduce((sum, loop) => sum + loop.prompts.length - 1, 0);
  return [
    estimate(behaviour.invalid_base, percent),
    estimate(behaviour.invalid_best, percent),
    kinds(behaviour.failed),
    `${kinds(behaviour.reflection_failures)} of ${count(reflections)}`,
    count(Math.round(behaviour.prompt_bytes)),
    percent(behaviour.prompt_change),
    percent(behaviour.prompt_change_after_solved),
    percent(behaviour.starts_shared),
  ];
}

function kinds(counts) {
  const told = Object.entries(counts).map(([kind, number]) => `${count(number)} ${words(kind)}`);
  return told.length ? told.join(", ") : "0";
}

function endCells(ends) {
  const total = Object.values(ends).reduce((sum, number) => sum + number, 0);
  const shares = ENDS.filter((end) => ends[end]).map((end) => {
    const part = element("span", { class: `end-${end}` });
    part.style.flexGrow = ends[end] / total;
    return part;
  });
  return [
    element("span", { class: "stack", "aria-hidden": "true" }, shares),
    ...ENDS.map((end) => count(ends[end] ?? 0)),
  ];
}
