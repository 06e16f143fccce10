// What a gain cost: tokens or dollars of the whole run.

import { nameIn } from "./choices.js";
import { element, picker } from "./dom.js";
import { dollars, tokens } from "./entry-words.js";
import { estimate, signed } from "./format.js";
import { paretoChart } from "./pareto.js";
import { section } from "./site-frame.js";
import { foldedTable } from "./table.js";

const UNITS = {
  tokens: { cost: ({ cost }) => cost.tokens, write: tokens },
  dollars: { cost: ({ cost }) => cost.usd, write: dollars },
};

export function costSection(chosen, set) {
  const unit = picker("Cost in", Object.keys(UNITS).map((name) => [name, name]), (value) => set({ cost: value }));
  const place = element("div", {});

  function update({ entries }) {
    const name = nameIn(UNITS, chosen.cost);
    unit.select.value = name;
    place.replaceChildren(...chart(entries, name));
  }

  const node = section(
    "cost",
    "Gain against cost",
    element(
      "p",
      { class: "lead" },
      "The line joins the entries that none beats in both: each gains more than all that cost no more.",
    ),
    element("div", { class: "pickers" }, unit.node),
    place,
  );
  return { node, update };
}

function chart(entries, name) {
  const { cost, write } = UNITS[name];
  const known = entries.filter((entry) => cost(entry) !== null);
  const points = known.map((entry) => ({ name: entry.name, cost: cost(entry), gain: entry.measures.gain }));
  const left = entries.length - known.length;
  if (points.length && points.every((point) => point.cost === 0))
    return [element("p", { class: "note" }, "Nothing here called a language model: none of these gains cost anything.")];
  const rows = points.map((point) => [point.name, write(point.cost), estimate(point.gain, signed)]);
  return [
    ...(points.length ? [paretoChart({ title: `Gain against cost in ${name}`, points, unit: name, write })] : []),
    ...(left ? [element("p", { class: "faint" }, `Left out, as prices are unknown: ${left} of ${entries.length}.`)] : []),
    ...(points.length ? [foldedTable({ caption: `cost in ${name} and gain`, columns: ["entry", name, "gain"], rows })] : []),
  ];
}
