// Gain against headroom: how far each family could rise, and how far it rose.

import { estimate, number, signed } from "./format.js";
import { label, line, mark, picture, scale, seriesClass } from "./frame.js";

const [WIDTH, HEIGHT] = [420, 320];
const [LEFT, RIGHT, TOP, BOTTOM] = [38, 12, 12, 34];
const LINE = 12;

// `points` are { name, position, base, gain: { value, low, high } }.
export function gainChart({ title, points }) {
  const lowest = Math.min(0, ...points.map(({ gain }) => gain.low ?? gain.value));
  const bottom = Math.floor(lowest * 4) / 4;
  const x = scale([0, 1], [LEFT, WIDTH - RIGHT]);
  const y = scale([bottom, 1], [HEIGHT - BOTTOM, TOP]);
  const placed = points.map((point) => ({ ...point, x: x(1 - point.base), y: y(point.gain.value) }));
  return picture(
    { width: WIDTH, height: HEIGHT, title, description: describe(points), kind: "gain" },
    axes(x, y, bottom),
    placed.map((point) => whisker(point, y)),
    placed.map((point) =>
      mark(point.x, point.y, point.position, { headroom: 1 - point.base, gain: point.gain.value }, sentence(point), 4),
    ),
    apart(placed).map(({ name, position, x: at, labelY, anchor }) =>
      label(anchor === "end" ? at - 8 : at + 8, labelY + 3.5, name, `${anchor} ${seriesClass(position)}`),
    ),
  );
}

function axes(x, y, bottom) {
  const levels = [1, 0.5, 0, -0.5, -1].filter((level) => level >= bottom);
  return [
    levels.map((level) => [
      line(x(0), y(level), x(1), y(level), level ? "grid" : "axis"),
      label(x(0) - 6, y(level) + 3.5, signed(level, 1), "end"),
    ]),
    line(x(0), y(0), x(1), y(1), "ceiling"),
    label(x(0.3), y(0.3) - 8, "all of the headroom", "end faint"),
    [0, 0.5, 1].map((level) => label(x(level), y(bottom) + 15, String(level), "middle")),
    label(x(0.5), HEIGHT - 4, "headroom (1 \u2212 base)", "middle faint"),
  ];
}

function whisker({ gain, x: at, position }, y) {
  return gain.low === null ? null : line(at, y(gain.low), at, y(gain.high), `whisker ${seriesClass(position)}`);
}

// Names beside their marks, moved up or down until none covers another.
function apart(points) {
  const taken = [];
  return [...points]
    .sort((one, other) => one.y - other.y)
    .map((point) => {
      const anchor = point.x > WIDTH / 2 ? "end" : "start";
      let labelY = point.y;
      const collides = (other) =>
        other.anchor === anchor && Math.abs(other.x - point.x) < 90 && Math.abs(other.labelY - labelY) < LINE;
      for (let tries = 0; taken.some(collides) && tries < 40; tries += 1) labelY += LINE / 3;
      labelY = Math.min(labelY, HEIGHT - BOTTOM);
      taken.push({ ...point, labelY, anchor });
      return taken.at(-1);
    });
}

function sentence({ name, base, gain }) {
  return `${name}: headroom ${number(1 - base)}, gain ${estimate(gain, signed)}`;
}

function describe(points) {
  return points.map((point) => `${sentence(point)}.`).join(" ");
}
