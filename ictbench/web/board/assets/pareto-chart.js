// Chart of gain against cost, with the Pareto front: no other entry gains at least as much for less. Entries are named, those
// on the front first, as far as there is space.

import { chart, path, scatter } from "../../assets/chart.js";
import { fittedChart } from "../../assets/fitted-chart.js";
import { estimate, range, signed } from "../../assets/format.js";
import { gainAxis } from "../../assets/run/gain-chart.js";

// Share of the x axis that is reserved for entries without cost, which a logarithmic scale cannot show.
const ZERO_COST_LANE = 0.07;

// `entries` are { name, shape, cost, gain: { value, low, high } }; `format` writes a cost, and `axis` says what it is.
export function paretoChart(options) {
  return fittedChart((width) => paretoImage(options, width), { least: 280, most: 720 });
}

function paretoImage({ title, entries, axis, format }, width) {
  const front = paretoFront(entries);
  const sentence = ({ name, cost, gain }) => `${name}: ${format(cost)}, gain ${estimate(gain, signed)}`;
  const points = entries.map((entry) => ({
    x: entry.cost,
    estimate: entry.gain,
    name: entry.name,
    isMinor: !front.includes(entry),
    isOptional: true,
    position: entry.shape,
    kind: front.includes(entry) ? "front" : "dominated",
    text: sentence(entry),
    data: { cost: entry.cost, gain: entry.gain.value },
    size: 4.5,
  }));
  return chart(
    {
      kind: "gain pareto",
      title,
      description: `${entries.length} entries. On the Pareto front: ${front.map(sentence).join("; ")}.`,
      width,
      height: 350,
      margin: [24, 16, 38, 42],
      x: { ...costScale(entries.map(({ cost }) => cost)), inset: 12, format, title: axis },
      y: gainAxis(entries),
    },
    (plot) => [front.length > 1 ? path(plot, staircase(front), "front") : null, scatter(plot, points, 9)],
  );
}

// Return the entries that gain more than every entry of the same or lower cost, cheapest first.
function paretoFront(entries) {
  const cheapestFirst = [...entries].sort(
    (left, right) => left.cost - right.cost || right.gain.value - left.gain.value,
  );
  let highest = Number.NEGATIVE_INFINITY;
  return cheapestFirst.filter(({ gain }) => {
    const isOnFront = gain.value > highest;
    highest = Math.max(highest, gain.value);
    return isOnFront;
  });
}

// Return a logarithmic scale over whole powers of ten, and its ticks.
function costScale(costs) {
  const logarithms = costs.filter((cost) => cost > 0).map(Math.log10);
  const low = logarithms.length ? Math.floor(Math.min(...logarithms)) : 0;
  const high = logarithms.length ? Math.max(low + 1, Math.ceil(Math.max(...logarithms))) : 1;
  const lane = costs.includes(0) ? ZERO_COST_LANE : 0;
  const powers = logarithms.length ? range(high - low + 1).map((index) => 10 ** (low + index)) : [];
  return {
    domain: [10 ** low, 10 ** high],
    scale: (cost) => (cost > 0 ? lane + ((1 - lane) * (Math.log10(cost) - low)) / (high - low) : 0),
    ticks: lane ? [0, ...powers] : powers,
  };
}

// Return the corners of a line that goes right from each entry and rises at the next one.
function staircase(front) {
  return front.flatMap(({ cost, gain }, index) => [
    [cost, front[Math.max(0, index - 1)].gain.value],
    [cost, gain.value],
  ]);
}
