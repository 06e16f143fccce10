// Gain against cost, with the entries that no other one beats in both.

import { estimate, signed } from "./format.js";
import { label, line, mark, picture, round, scale } from "./frame.js";
import { svgElement } from "./dom.js";
import { visible } from "./visible.js";

const [WIDTH, HEIGHT] = [720, 340];
const [LEFT, RIGHT, TOP, BOTTOM] = [42, 16, 14, 38];
const FREE_LANE = 46;
const LINE = 13;
const LONGEST = 28;

// `points` are { name, cost, gain: { value, low, high } }. A point is on the front where none costs less and gains
// more.
export function paretoChart({ title, points, unit, write }) {
  const front = frontOf(points);
  const x = costScale(points.map(({ cost }) => cost));
  const lowest = Math.min(0, ...points.map(({ gain }) => gain.low ?? gain.value));
  const bottom = Math.floor(lowest * 4) / 4;
  const y = scale([bottom, 1], [HEIGHT - BOTTOM, TOP]);
  const placed = points.map((point) => ({
    ...point,
    isFront: front.includes(point),
    x: x.at(point.cost),
    y: y(point.gain.value),
  }));
  const onFront = placed.filter(({ isFront }) => isFront).sort((one, other) => one.x - other.x);
  return picture(
    { width: WIDTH, height: HEIGHT, title, description: describe(points, front, write), kind: "gain pareto" },
    axes(x, y, bottom, unit, write),
    staircase(onFront),
    placed.map(({ gain, x: at, isFront }) =>
      gain.low === null ? null : line(at, y(gain.low), at, y(gain.high), `whisker ${isFront ? "front" : "behind"}`),
    ),
    placed.map((point) => {
      const shape = mark(point.x, point.y, 0, { cost: point.cost, gain: point.gain.value }, sentence(point, write), 4.5);
      shape.classList.add(point.isFront ? "front" : "behind");
      return shape;
    }),
    names(onFront),
  );
}

// Entries that none beats in both: each gains more than all that cost no more.
export function frontOf(points) {
  const cheapest = [...points].sort((one, other) => one.cost - other.cost || other.gain.value - one.gain.value);
  let most = Number.NEGATIVE_INFINITY;
  return cheapest.filter(({ gain }) => {
    const better = gain.value > most;
    most = Math.max(most, gain.value);
    return better;
  });
}

// Logarithmic, with a lane of its own for what costs nothing.
function costScale(costs) {
  const positive = costs.filter((cost) => cost > 0).map(Math.log10);
  const start = costs.includes(0) ? LEFT + FREE_LANE : LEFT + 12;
  const low = positive.length ? Math.floor(Math.min(...positive)) : 0;
  const high = positive.length ? Math.max(low + 1, Math.ceil(Math.max(...positive))) : 1;
  const along = scale([low, high], [start, WIDTH - RIGHT - 12]);
  const ticks = positive.length ? Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) : [];
  return {
    at: (cost) => (cost > 0 ? along(Math.log10(cost)) : LEFT + 14),
    ticks: costs.includes(0) ? [0, ...ticks] : ticks,
  };
}

function axes(x, y, bottom, unit, write) {
  const levels = [1, 0.5, 0, -0.5, -1].filter((level) => level >= bottom);
  return [
    levels.map((level) => [
      line(LEFT, y(level), WIDTH - RIGHT, y(level), level ? "grid" : "axis"),
      label(LEFT - 6, y(level) + 3.5, signed(level, 1), "end"),
    ]),
    x.ticks.map((tick) => label(x.at(tick), HEIGHT - BOTTOM + 16, write(tick), "middle")),
    label((LEFT + WIDTH) / 2, HEIGHT - 4, `cost of the run in ${unit}`, "middle faint"),
  ];
}

function staircase(front) {
  if (front.length < 2) return null;
  const corners = front.flatMap(({ x, y }, index) => (index ? [`${round(x)},${round(front[index - 1].y)}`] : []).concat(`${round(x)},${round(y)}`));
  return svgElement("polyline", { points: corners.join(" "), class: "front" });
}

// Names of the front, above one another where they would meet.
function names(front) {
  const taken = [];
  return front.map(({ name, x, y }) => {
    const anchor = x > WIDTH / 2 ? "end" : "start";
    let at = Math.max(TOP + LINE, y - 9);
    while (taken.some((other) => Math.abs(other.x - x) < 150 && Math.abs(other.y - at) < LINE)) at += LINE;
    taken.push({ x, y: at });
    const shown = visible(name);
    const short = shown.length > LONGEST ? `${shown.slice(0, LONGEST - 1)}\u2026` : shown;
    return label(anchor === "end" ? x - 8 : x + 8, at, short, anchor);
  });
}

function sentence({ name, cost, gain }, write) {
  return `${name}: ${write(cost)}, gain ${estimate(gain, signed)}`;
}

function describe(points, front, write) {
  const told = front.map((point) => sentence(point, write)).join("; ");
  return `${points.length} entries. None gains more for less than: ${told}.`;
}
