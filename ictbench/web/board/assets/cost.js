// Section on gain against the cost of the whole run, in tokens or dollars.

import { element, picker } from "../../assets/dom.js";
import { estimate, signed } from "../../assets/format.js";
import { section } from "../../assets/page.js";
import { foldedTable } from "../../assets/table.js";
import { compactCount, dollars } from "./entry-format.js";
import { paretoChart } from "./pareto-chart.js";
import { keyOrFirst } from "./view-state.js";

const UNITS = {
  tokens: { cost: ({ cost }) => cost.tokens, format: compactCount },
  dollars: { cost: ({ cost }) => cost.usd, format: dollars },
};

export function costSection(state, update) {
  const unitPicker = picker(
    "Cost in",
    Object.keys(UNITS).map((name) => [name, name]),
    (cost) => update({ cost }),
  );
  const content = element("div", {});

  function show({ entries }) {
    const unit = keyOrFirst(UNITS, state.cost);
    unitPicker.select.value = unit;
    content.replaceChildren(...costViews(entries, unit));
  }

  const node = section(
    "cost",
    "Gain against cost",
    element(
      "p",
      { class: "lead" },
      "The line is the Pareto front: each entry on it gains more than every entry that costs the same or less.",
    ),
    element("div", { class: "pickers" }, unitPicker.node),
    content,
  );
  return { node, show };
}

function costViews(entries, unit) {
  const { cost, format } = UNITS[unit];
  const known = entries.filter((entry) => cost(entry) !== null);
  const points = known.map((entry) => ({ name: entry.name, cost: cost(entry), gain: entry.measures.gain }));
  const unknown = entries.length - known.length;
  if (points.length && points.every((point) => point.cost === 0))
    return [element("p", { class: "note" }, "None of these entries called a language model, so all costs are zero.")];
  return [
    points.length ? paretoChart({ title: `Gain against cost in ${unit}`, points, unit, format }) : "",
    unknown ? element("p", { class: "faint" }, `Not shown, prices unknown: ${unknown} of ${entries.length}.`) : "",
    points.length
      ? foldedTable({
          caption: `cost in ${unit} and gain`,
          columns: ["entry", unit, "gain"],
          rows: points.map((point) => [point.name, format(point.cost), estimate(point.gain, signed)]),
        })
      : "",
  ];
}
