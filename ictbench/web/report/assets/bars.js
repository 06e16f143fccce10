// Bars from 0 to 1 with error bars, in groups of one bar a series.

import { estimate, number } from "./format.js";
import { label, line, picture, round, scale, seriesClass } from "./frame.js";
import { svgElement } from "./dom.js";

const WIDTH = 340;
const [LEFT, RIGHT] = [34, 36];
const [BAR, GAP] = [11, 9];

// `groups` are { name, bars: [{ name, position, value, low, high }] }.
export function barChart({ title, groups }) {
  const x = scale([0, 1], [LEFT, WIDTH - RIGHT]);
  let top = 4;
  const drawn = groups.map(({ name, bars }) => {
    const start = top;
    top += bars.length * BAR + GAP;
    return [
      label(LEFT - 6, start + (bars.length * BAR) / 2 + 3.5, name, "end"),
      bars.map((bar, index) => drawBar(name, bar, start + index * BAR, x)),
    ];
  });
  const ticks = [0, 0.5, 1].map((level) => line(x(level), 0, x(level), top - GAP + 4, level ? "grid" : "axis"));
  return picture({ width: WIDTH, height: top, title, description: describe(groups), kind: "bars" }, ticks, drawn);
}

function drawBar(group, bar, top, x) {
  const width = Math.max(0, x(bar.value) - x(0));
  const middle = top + BAR / 2;
  return [
    svgElement(
      "rect",
      {
        x: x(0),
        y: top + 1,
        width: round(width),
        height: BAR - 2,
        class: `bar ${group} ${seriesClass(bar.position)}`,
        "data-value": bar.value,
      },
      svgElement("title", {}, `${bar.name}, ${group}: ${estimate(bar)}`),
    ),
    bar.low === null ? null : ["halo", "whisker"].map((kind) => line(x(bar.low), middle, x(bar.high), middle, kind)),
    label(WIDTH - RIGHT + 6, middle + 3.5, number(bar.value)),
  ];
}

function describe(groups) {
  const told = groups.flatMap(({ name, bars }) => bars.map((bar) => `${bar.name}, ${name}: ${estimate(bar)}.`));
  return told.join(" ");
}
