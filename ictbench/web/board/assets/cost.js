// Section on gain against the cost of the whole run, in tokens or dollars.

import { paragraph } from "../../assets/dom.js";
import { estimate, signed } from "../../assets/format.js";
import { foldedTable } from "../../assets/table.js";
import { compactCount, dollars } from "./entry-format.js";
import { paretoChart } from "./pareto-chart.js";
import { choiceSection } from "./view-state.js";

const UNITS = {
  tokens: { cost: ({ cost }) => cost.tokens, format: compactCount },
  dollars: { cost: ({ cost }) => cost.usd, format: dollars },
};

export function costSection(choices) {
  const lead =
    "The line is the Pareto front: each entry on it gains more than every entry that costs the same or less. Circles are " +
    "language models, squares are programs and own classes. Vertical lines are 95 % intervals.";
  const options = { id: "cost", heading: "Gain against cost", lead, label: "Cost in", choices: UNITS, key: "cost" };
  return choiceSection(options, choices, costViews);
}

function costViews({ entries }, unit) {
  const { cost, format } = UNITS[unit];
  const known = entries
    .filter((entry) => cost(entry) !== null)
    .map((entry) => ({ name: entry.name, kind: entry.kind, cost: cost(entry), gain: entry.measures.gain }));
  const unknown = entries.length - known.length;
  if (known.length && known.every((entry) => entry.cost === 0))
    return [paragraph("note", "None of these entries called a language model, so all costs are zero.")];
  const what = unit === "tokens" ? "tokens" : "prices";
  const note = unknown ? [paragraph("faint", `Not shown, ${what} unknown: ${unknown} of ${entries.length}.`)] : [];
  if (!known.length) return note;
  const table = {
    caption: `cost in ${unit} and gain`,
    columns: ["entry", unit, "gain"],
    rows: known.map((entry) => [entry.name, format(entry.cost), estimate(entry.gain, signed)]),
  };
  return [
    paretoChart({ title: `Gain against cost in ${unit}`, entries: known, unit, format }),
    ...note,
    foldedTable(table),
  ];
}
