// Chart of a learning curve: success rate under prompt[0] … prompt[N], with its interval as a band.

import { band, chart, mark, path, seriesClass } from "./chart.js";
import { estimate, range } from "./format.js";

// `series` are { name, position, points: [{ value, low, high }], loops: [[value, …], …] }. `position` selects colour
// and shape; `loops` are drawn as thin lines. `pool` is the one on whose tasks success is measured.
export function learningCurve({ title, series, pool = "selection" }) {
  const turns = Math.max(1, ...series.map(({ points }) => points.length - 1));
  const each = (draw) => series.map((curve) => draw(curve, seriesClass(curve.position)));
  return chart(
    {
      kind: "curve",
      title,
      description: description(series),
      width: 340,
      height: 212,
      margin: [26, 8, 34, 30],
      x: { domain: [0, turns], inset: 6, ticks: promptTicks(turns), format: String, title: "prompt" },
      y: { domain: [0, 1], ticks: [0, 0.5, 1], format: String, title: `success rate, ${pool} tasks`, grid: true },
    },
    (plot) => [
      each(({ points }, kind) => band(plot, points, kind)),
      each(({ loops = [] }, kind) => loops.map((values) => curve(plot, values, `loop ${kind}`))),
      each(({ points }, kind) => curve(plot, valuesOf(points), `line ${kind}`)),
      each(({ name, points, position }) => points.map((point, x) => curvePoint(plot, x, point, name, position))),
    ],
  );
}

function valuesOf(points) {
  return points.map(({ value }) => value);
}

function curve(plot, values, kind) {
  return path(plot, [...values.entries()], kind);
}

function curvePoint(plot, x, point, name, position) {
  const text = `${name}, prompt[${x}]: ${estimate(point)}`;
  return mark(plot, [x, point.value], { position, text, data: { prompt: x, value: point.value } });
}

function promptTicks(turns) {
  const step = turns > 20 ? 5 : turns > 12 ? 2 : 1;
  return range(Math.floor(turns / step) + 1).map((index) => index * step);
}

function description(series) {
  return series
    .map(({ name, points }) => {
      if (!points.length) return `${name}: no finished loop.`;
      const last = points.length - 1;
      return `${name}: from ${estimate(points[0])} under prompt[0] to ${estimate(points[last])} under prompt[${last}].`;
    })
    .join(" ");
}
