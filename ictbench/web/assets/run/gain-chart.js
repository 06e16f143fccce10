// Chart of gain against headroom: how far each family could improve, and how far it did.

import { chart, interval, label, line, mark, nameLabels, seriesClass } from "../chart.js";
import { estimate, number, signed } from "../format.js";

// `points` are { name, position, base, gain: { value, low, high } }.
export function gainChart({ title, points }) {
  const positions = points.map(({ base, gain }) => [1 - base, gain.value]);
  const names = points
    .map(({ name, position }, index) => ({
      name,
      kind: seriesClass(position),
      x: positions[index][0],
      y: positions[index][1],
    }))
    .sort((left, right) => right.y - left.y);
  return chart(
    {
      kind: "gain",
      title,
      description: points.map((point) => `${sentence(point)}.`).join(" "),
      width: 420,
      height: 330,
      margin: [22, 12, 34, 38],
      x: { domain: [0, 1], ticks: [0, 0.5, 1], format: String, title: "headroom (1 \u2212 base)" },
      y: gainAxis(points),
    },
    (plot) => [
      line(plot, [0, 0], [1, 1], "ceiling"),
      label(plot.x(0.3), plot.y(0.3) - 8, "all of the headroom", "end faint"),
      points.map(({ gain, position }, index) => interval(plot, positions[index][0], gain, seriesClass(position))),
      points.map((point, index) => {
        const data = { headroom: 1 - point.base, gain: point.gain.value };
        return mark(plot, positions[index], { position: point.position, text: sentence(point), data, size: 4 });
      }),
      nameLabels(plot, names, positions),
    ],
  );
}

// Return the y axis for gains { value, low, high }: up to 1, down to a quarter below the lowest.
export function gainAxis(points) {
  const lowest = Math.min(0, ...points.map(({ gain }) => gain.low ?? gain.value));
  const bottom = Math.floor(lowest * 4) / 4;
  const ticks = [1, 0.5, 0, -0.5, -1].filter((tick) => tick >= bottom);
  return { domain: [bottom, 1], ticks, format: (tick) => signed(tick, 1), title: "gain", grid: true };
}

function sentence({ name, base, gain }) {
  return `${name}: headroom ${number(1 - base)}, gain ${estimate(gain, signed)}`;
}
