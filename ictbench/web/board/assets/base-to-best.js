// Miniature chart of one entry: base and best on a line from 0 to 1, with the interval of best.

import { chart, line, mark } from "../../assets/chart.js";

const [WIDTH, HEIGHT] = [150, 20];
const X_AXIS = { domain: [0, 1], ticks: [0, 0.5, 1], grid: true };

export function baseToBest({ base, best }) {
  const y = HEIGHT / 2;
  return chart({ kind: "base-to-best", width: WIDTH, height: HEIGHT, margin: [1, 7, 1, 7], x: X_AXIS }, (plot) => [
    line(plot, [base.value, y], [best.value, y], "gain-line"),
    best.low === null ? null : line(plot, [best.low, y], [best.high, y], "best-interval"),
    mark(plot, [base.value, y], { position: 0, kind: "base" }),
    mark(plot, [best.value, y], { position: 0, kind: "best", size: 4 }),
  ]);
}
