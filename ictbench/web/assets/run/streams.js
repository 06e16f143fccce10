// Streams that mix families: forgetting and forward transfer as a table, and success by family as charts.

import { legend } from "../chart.js";
import { element } from "../dom.js";
import { estimate, MISSING, number, range, signed } from "../format.js";
import { learningCurve } from "../learning-curve.js";
import { dataTable, foldedTable } from "../table.js";

const PLACES = ["first", "second", "third", "fourth", "fifth", "sixth"];

// Return null for results without a stream.
export function streamsView(entries) {
  const mixed = entries.filter(({ family }) => family.measures?.mixed);
  if (!mixed.length) return null;
  const drawn = mixed.filter(({ family }) => family.measures.mixed.curves.length);
  const most = Math.max(0, ...drawn.map(({ family }) => family.measures.mixed.curves.length));
  return element(
    "div",
    {},
    element("h3", {}, "Families of the streams"),
    dataTable({
      caption:
        "Success on the test tasks of each family: under prompt[0] (base), under the prompt after its last task of the " +
        "experience (after), under prompt[N] (last). Forgetting: success before turns without a task of the family, " +
        "minus that after them. Forward transfer: success before its first task, minus base. 95 % intervals in brackets.",
      columns: ["stream", "family", "base", "after", "last", "forgetting", "forward transfer"],
      rows: mixed.flatMap(({ name, family: { measures } }) => rowsOf(name, measures.mixed)),
    }),
    legend(range(most).map(place), "Families, in the order in which a loop meets them"),
    element("div", { class: "panels" }, drawn.map(panel)),
    foldedTable({
      caption: "success rate on test tasks by prompt, mean over loops",
      columns: ["stream", "family met", ...range(Math.max(0, ...drawn.map(prompts))).map(String)],
      rows: drawn.flatMap(({ name, family }) =>
        family.measures.mixed.curves.map((curve, index) => [name, place(index), ...curve.map((rate) => number(rate))]),
      ),
    }),
  );
}

function rowsOf(stream, { families, forgetting, forward_transfer }) {
  const shown = (value, format) => (value ? estimate(value, format) : MISSING);
  return [
    ...Object.entries(families).map(([name, one]) => [
      stream,
      name,
      ...[one.base, one.after, one.last].map((value) => shown(value)),
      ...[one.forgetting, one.forward_transfer].map((value) => shown(value, signed)),
    ]),
    [stream, "mean", MISSING, MISSING, MISSING, shown(forgetting, signed), shown(forward_transfer, signed)],
  ];
}

function panel({ name, family }) {
  const series = family.measures.mixed.curves.map((curve, position) => ({
    name: place(position),
    position,
    points: curve.map((value) => ({ value, low: null, high: null })),
  }));
  return element(
    "article",
    { class: "panel", "aria-label": name },
    element("h4", {}, name),
    learningCurve({ title: `Success by family, ${name}`, series, pool: "test" }),
  );
}

function prompts({ family }) {
  return family.measures.mixed.curves[0].length;
}

function place(index) {
  return PLACES[index] ?? `number ${index + 1}`;
}
