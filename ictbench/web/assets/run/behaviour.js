// Behaviour of actor and reflector, and how test episodes ended.

import { count, estimate, percent, words } from "../format.js";
import { section } from "../page.js";
import { dataTable, stackedBar } from "../table.js";
import { entriesOf, familiesOf } from "./families.js";

const ENDS = ["solved", "step_limit", "env_ended", "died", "failed"];

const BEHAVIOUR_COLUMNS = [
  "family",
  "invalid actions, base",
  "invalid actions, best",
  "episodes failed by the model",
  "reflections not used",
  "prompt bytes",
  "prompt change per turn",
  "change after an all-solved batch",
  "starts shared",
];

export function behaviourSection(report) {
  const entries = entriesOf(familiesOf(report));
  return section(
    "behaviour",
    "Behaviour",
    dataTable({
      caption: "Actor and reflector by family",
      columns: BEHAVIOUR_COLUMNS,
      rows: entries.map(({ name, family: { behaviour, loops } }) => [
        name,
        ...(behaviour ? behaviourCells(behaviour, loops) : Array(BEHAVIOUR_COLUMNS.length - 1).fill("\u2026")),
      ]),
    }),
    dataTable({
      caption: "How test episodes under the best prompts ended",
      columns: ["family", "share", ...ENDS.map(words)],
      rows: entries.map(({ name, family: { behaviour } }) => [
        name,
        ...(behaviour ? endCells(behaviour.ends) : Array(1 + ENDS.length).fill("\u2026")),
      ]),
    }),
  );
}

function behaviourCells(behaviour, loops) {
  const reflections = loops.reduce((sum, loop) => sum + loop.prompts.length - 1, 0);
  return [
    estimate(behaviour.invalid_base, percent),
    estimate(behaviour.invalid_best, percent),
    countsByKind(behaviour.failed),
    `${countsByKind(behaviour.reflection_failures)} of ${count(reflections)}`,
    count(Math.round(behaviour.prompt_bytes)),
    percent(behaviour.prompt_change),
    percent(behaviour.prompt_change_after_solved),
    percent(behaviour.starts_shared),
  ];
}

function countsByKind(counts) {
  const parts = Object.entries(counts).map(([kind, number]) => `${count(number)} ${words(kind)}`);
  return parts.length ? parts.join(", ") : "0";
}

function endCells(ends) {
  const total = Object.values(ends).reduce((sum, number) => sum + number, 0);
  const parts = ENDS.filter((end) => ends[end]).map((end) => ({ share: ends[end] / total, kind: `end-${end}` }));
  return [stackedBar(parts), ...ENDS.map((end) => count(ends[end] ?? 0))];
}
