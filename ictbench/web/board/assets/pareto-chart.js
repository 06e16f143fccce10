// Chart of gain against cost. It names the entries on the Pareto front: no other entry gains at least as much for less.

import { chart, interval, mark, nameLabels, path } from "../../assets/chart.js";
import { estimate, signed } from "../../assets/format.js";
import { gainAxis } from "../../assets/run/gain-chart.js";

// Share of the x axis that is reserved for entries without cost, which a logarithmic scale cannot show.
const ZERO_COST_LANE = 0.07;

// `points` are { name, cost, gain: { value, low, high } }; `format` writes a cost.
export function paretoChart({ title, points, unit, format }) {
  const front = paretoFront(points);
  const kind = (point) => (front.includes(point) ? "front" : "dominated");
  const position = ({ cost, gain }) => [cost, gain.value];
  const names = front.map((point) => ({ name: point.name, kind: "", x: point.cost, y: point.gain.value }));
  return chart(
    {
      kind: "gain pareto",
      title,
      description: description(points, front, format),
      width: 720,
      height: 350,
      margin: [24, 16, 38, 42],
      x: { ...costScale(points.map(({ cost }) => cost)), inset: 12, format, title: `cost of the run in ${unit}` },
      y: gainAxis(points),
    },
    (plot) => [
      front.length > 1 ? path(plot, staircase(front.map(position)), "front") : null,
      points.map((point) => interval(plot, point.cost, point.gain, kind(point))),
      points.map((point) => {
        const data = { cost: point.cost, gain: point.gain.value };
        const options = { position: 0, text: sentence(point, format), data, size: 4.5, kind: kind(point) };
        return mark(plot, position(point), options);
      }),
      nameLabels(plot, names, points.map(position), 9),
    ],
  );
}

// Return the points that gain more than every point of the same or lower cost, cheapest first.
export function paretoFront(points) {
  const cheapestFirst = [...points].sort((left, right) => left.cost - right.cost || right.gain.value - left.gain.value);
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
  const powers = logarithms.length ? Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) : [];
  return {
    domain: [10 ** low, 10 ** high],
    scale: (cost) => (cost > 0 ? lane + ((1 - lane) * (Math.log10(cost) - low)) / (high - low) : 0),
    ticks: lane ? [0, ...powers] : powers,
  };
}

// Return the corners of steps that rise at each position.
function staircase(positions) {
  return positions.flatMap(([x, y], index) => (index ? [[x, positions[index - 1][1]]] : []).concat([[x, y]]));
}

function sentence({ name, cost, gain }, format) {
  return `${name}: ${format(cost)}, gain ${estimate(gain, signed)}`;
}

function description(points, front, format) {
  const sentences = front.map((point) => sentence(point, format)).join("; ");
  return `${points.length} entries. On the Pareto front: ${sentences}.`;
}
