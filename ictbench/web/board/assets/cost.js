// Section on gain against what was used for it: tokens, dollars or experience. It shows the entries of all divisions with the
// actor and profile of the track.

import { paragraph } from "../../assets/dom.js";
import { count, estimate, signed } from "../../assets/format.js";
import { foldedTable } from "../../assets/table.js";
import { compactCount, DIVISIONS, dollars } from "./entry-format.js";
import { paretoChart } from "./pareto-chart.js";
import { choiceSection } from "./view-state.js";

const UNITS = {
  tokens: { cost: ({ cost }) => cost.tokens, format: compactCount, axis: "cost of the run in tokens", unknown: "tokens" },
  dollars: { cost: ({ cost }) => cost.usd, format: dollars, axis: "cost of the run in dollars", unknown: "prices" },
  episodes: { cost: ({ cost }) => cost.experience, format: count, axis: "episodes of experience per loop" },
};

export function costSection(choices) {
  const lead =
    "Entries of all divisions with this actor and profile. The line is the Pareto front: each entry on it gains more than " +
    "every entry that costs the same or less. Vertical lines are 95 % intervals.";
  const options = { id: "cost", heading: "Gain against cost", lead, label: "Cost in", choices: UNITS, key: "cost" };
  return choiceSection(options, choices, costViews);
}

function costViews({ inAllDivisions: entries }, unit) {
  const { cost, format, axis, unknown: what } = UNITS[unit];
  const divisions = Object.keys(DIVISIONS).filter((name) => entries.some(({ division }) => division === name));
  const known = entries.filter((entry) => cost(entry) !== null);
  const unknown = entries.length - known.length;
  if (known.length && known.every((entry) => cost(entry) === 0))
    return [paragraph("note", "None of these entries called a language model, so all costs are zero.")];
  const note = unknown ? [paragraph("faint", `Not shown, ${what} unknown: ${unknown} of ${entries.length}.`)] : [];
  if (!known.length) return note;
  const points = known.map((entry) => ({
    name: entry.name,
    shape: divisions.length > 1 ? Object.keys(DIVISIONS).indexOf(entry.division) : entry.kind === "model" ? 0 : 1,
    cost: cost(entry),
    gain: entry.measures.gain,
  }));
  return [
    paragraph("faint", shapesText(divisions)),
    paretoChart({ title: `Gain against cost in ${unit}`, entries: points, axis, format }),
    ...note,
    foldedTable({
      caption: `cost in ${unit} and gain`,
      columns: ["entry", "division", "gain", "tokens", "dollars", "experience", "Pareto front"],
      rows: known.map((entry) => [
        entry.name,
        DIVISIONS[entry.division].name,
        estimate(entry.measures.gain, signed),
        ...Object.values(UNITS).map((one) => one.format(one.cost(entry))),
        entry.on_front ? "yes" : "no",
      ]),
    }),
  ];
}

function shapesText(divisions) {
  return divisions.length > 1
    ? "Circles are reflectors, squares are memory learners, diamonds are optimisers."
    : "Circles are language models, squares are programs and own classes.";
}
