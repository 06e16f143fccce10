// Chart of gain against headroom: how far each family could improve, and how far it did.

import { chart, line, scatter, seriesClass } from "../chart.js";
import { estimate, number, signed } from "../format.js";

// `families` are { label, position, base, gain: { value, low, high } }.
export function gainChart({ title, families }) {
  const points = families.map((family) => ({
    x: 1 - family.base,
    estimate: family.gain,
    name: family.label,
    position: family.position,
    kind: seriesClass(family.position),
    text: sentence(family),
    data: { headroom: 1 - family.base, gain: family.gain.value },
    size: 4,
  }));
  return chart(
    {
      kind: "gain",
      title,
      description: families.map((family) => `${sentence(family)}.`).join(" "),
      width: 420,
      height: 330,
      margin: [22, 12, 34, 38],
      x: { domain: [0, 1], ticks: [0, 0.5, 1], format: String, title: "headroom (1 \u2212 base)" },
      y: gainAxis(families),
    },
    (plot) => [line(plot, [0, 0], [1, 1], "ceiling"), scatter(plot, points)],
  );
}

// Return the y axis for items with a gain { value, low, high }: up to 1, and down to below the lowest interval.
export function gainAxis(items) {
  const lowest = Math.min(0, ...items.map(({ gain }) => gain.low ?? gain.value));
  const bottom = Math.floor(lowest * 4) / 4;
  const ticks = [1, 0.5, 0, -0.5, -1].filter((tick) => tick >= bottom);
  return { domain: [bottom, 1], ticks, format: (tick) => signed(tick, 1), title: "gain", grid: true };
}

function sentence({ label: name, base, gain }) {
  return `${name}: headroom ${number(1 - base)}, gain ${estimate(gain, signed)}`;
}
