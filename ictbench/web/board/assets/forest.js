// Base and best of one entry on a line from 0 to 1, with the interval of best.

import { line, round, scale } from "./frame.js";
import { svgElement } from "./dom.js";

const [WIDTH, HEIGHT, EDGE] = [150, 20, 7];
const x = scale([0, 1], [EDGE, WIDTH - EDGE]);

export function forest({ base, best }) {
  const middle = HEIGHT / 2;
  return svgElement(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart forest", "aria-hidden": "true" },
    [0, 0.5, 1].map((level) => line(x(level), 1, x(level), HEIGHT - 1, "grid")),
    line(x(base.value), middle, x(best.value), middle, "rise"),
    best.low === null ? null : line(x(best.low), middle, x(best.high), middle, "spread"),
    svgElement("circle", { cx: round(x(base.value)), cy: middle, r: 3.2, class: "before" }),
    svgElement("circle", { cx: round(x(best.value)), cy: middle, r: 4, class: "after" }),
  );
}
