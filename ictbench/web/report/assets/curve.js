// A learning curve: success of prompt[0] … prompt[N], each with its interval as a band.

import { estimate } from "./format.js";
import { label, line, mark, picture, round, scale, seriesClass } from "./frame.js";
import { svgElement } from "./dom.js";

const [WIDTH, HEIGHT] = [340, 190];
const [LEFT, RIGHT, TOP, BOTTOM] = [30, 8, 10, 28];

// `series` are { name, position, points: [{ value, low, high }], loops: [[value, …], …] }: `position` gives colour and
// shape, `loops` are thin lines behind.
export function curveChart({ title, series }) {
  const turns = Math.max(1, ...series.map(({ points }) => points.length - 1));
  const x = scale([0, turns], [LEFT + 6, WIDTH - RIGHT - 6]);
  const y = scale([0, 1], [HEIGHT - BOTTOM, TOP]);
  return picture(
    { width: WIDTH, height: HEIGHT, title, description: describe(series), kind: "curve" },
    grid(turns, x, y),
    series.map(({ points, position }) => band(points, position, x, y)),
    series.map(({ loops = [], position }) =>
      loops.map((values) => path(values, `loop ${seriesClass(position)}`, x, y)),
    ),
    series.map(({ points, position }) =>
      path(
        points.map(({ value }) => value),
        `line ${seriesClass(position)}`,
        x,
        y,
      ),
    ),
    series.map(({ name, points, position }) =>
      points.map((point, index) =>
        mark(
          x(index),
          y(point.value),
          position,
          { prompt: index, value: point.value },
          `${name}, prompt[${index}]: ${estimate(point)}`,
        ),
      ),
    ),
  );
}

function grid(turns, x, y) {
  const every = turns > 20 ? 5 : turns > 12 ? 2 : 1;
  const ticks = Array.from({ length: turns + 1 }, (_, index) => index).filter((index) => index % every === 0);
  return [
    [0, 0.5, 1].map((level) => [
      line(LEFT, y(level), WIDTH - RIGHT, y(level), level ? "grid" : "axis"),
      label(LEFT - 5, y(level) + 3.5, String(level), "end"),
    ]),
    ticks.map((tick) => label(x(tick), HEIGHT - BOTTOM + 14, String(tick), "middle")),
    label((LEFT + WIDTH) / 2, HEIGHT - 2, "prompt", "middle faint"),
  ];
}

function band(points, position, x, y) {
  if (!points.length || points.some((point) => point.low === null)) return null;
  const upper = points.map((point, index) => `${round(x(index))},${round(y(point.high))}`);
  const lower = points.map((point, index) => `${round(x(index))},${round(y(point.low))}`).reverse();
  return svgElement("polygon", { points: [...upper, ...lower].join(" "), class: `band ${seriesClass(position)}` });
}

function path(values, kind, x, y) {
  const corners = values.map((value, index) => `${round(x(index))},${round(y(value))}`);
  return svgElement("polyline", { points: corners.join(" "), class: kind });
}

function describe(series) {
  return series
    .map(({ name, points }) => {
      if (!points.length) return `${name}: no finished loop.`;
      const last = points.length - 1;
      return `${name}: from ${estimate(points[0])} under prompt[0] to ${estimate(points[last])} under prompt[${last}].`;
    })
    .join(" ");
}
