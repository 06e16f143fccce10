// Bar chart from 0 to 1 with intervals: groups with one bar per run.

import { bar, chart, label, seriesClass } from "../chart.js";
import { estimate, number } from "../format.js";

const WIDTH = 340;
const MARGIN = [0, 36, 34, 34];
const [BAR_HEIGHT, GAP] = [12, 8];

// `groups` are { name, bars: [{ name, position, value, low, high }] }.
export function barChart({ title, groups }) {
  const top = (index) => 4 + groups.slice(0, index).reduce((sum, { bars }) => sum + bars.length * BAR_HEIGHT + GAP, 0);
  const x = { domain: [0, 1], ticks: [0, 0.5, 1], format: String, title: "success rate, test tasks", grid: true };
  const height = top(groups.length) + MARGIN[2];
  return chart(
    { kind: "bars", title, description: description(groups), width: WIDTH, height, margin: MARGIN, x },
    (plot) => groups.map((group, index) => barGroup(plot, group, top(index))),
  );
}

function barGroup(plot, { name, bars }, top) {
  const center = top + (bars.length * BAR_HEIGHT) / 2;
  return [
    label(plot.frame.left - 6, center + 3.5, name, "end"),
    bars.map(({ name: run, position, ...measure }, index) => {
      const start = top + index * BAR_HEIGHT;
      const text = `${run}, ${name}: ${estimate(measure)}`;
      return [
        bar(plot, start, BAR_HEIGHT, { estimate: measure, text, kind: `${name} ${seriesClass(position)}` }),
        label(plot.frame.right + 6, start + BAR_HEIGHT / 2 + 3.5, number(measure.value)),
      ];
    }),
  ];
}

function description(groups) {
  return groups.flatMap(({ name, bars }) => bars.map((each) => `${each.name}, ${name}: ${estimate(each)}.`)).join(" ");
}
