// Chart primitives of all pages: axes, lines with bands, points with intervals, bars, labels, legends.
// Positions are [x, y] in the units of the axes.

import { element, svgElement, uniqueId } from "./dom.js";
import { visible } from "./visible.js";

const COLOURS = 6;
const SHAPES = [circle, square, diamond];
const LINE_HEIGHT = 12;
const CHARACTER_WIDTH = 6.2;
const MARK_GAP = 8;
const MAX_LABEL_LENGTH = 28;
const LABEL_SHIFTS = [0, 0.5, -0.5, 1, -1, 1.5, -1.5, 2, -2, 2.5, -2.5, 3, -3, 4, -4, 5, -5];

// Return the class that colours a series: a run has the same colour in every chart.
export function seriesClass(position) {
  return `series-${position % COLOURS}`;
}

// Return the names of the series beside their colours, or null for a single series.
export function legend(names, label) {
  if (names.length < 2) return null;
  const items = names.map((name, position) =>
    element("li", { class: seriesClass(position) }, element("span", { class: "swatch" }), name),
  );
  return element("ul", { class: "legend", "aria-label": label }, items);
}

// Return a chart as an SVG element; `draw(plot)` returns what stands on the axes. `title` and `description` are for
// screen readers, from which a chart without a title is hidden. `margin` is [top, right, bottom, left] in pixels.
//
// An axis is { domain: [low, high], scale, ticks, format, title, grid, inset }; one without a domain counts pixels.
//   scale: maps a value to 0 … 1, by default linearly
//   ticks, format: values to mark, and the function that writes their labels (by default there are none)
//   grid: whether to draw a line at each tick
//   inset: space in pixels between the frame and the ends of the domain
export function chart({ kind, title, description, width, height, margin, x = {}, y = {} }, draw) {
  const [top, right, bottom, left] = margin;
  const frame = { top, right: width - right, bottom: height - bottom, left };
  const plot = { frame, x: placement(x, frame.left, frame.right), y: placement(y, frame.bottom, frame.top) };
  const ids = [uniqueId("title"), uniqueId("description")];
  return svgElement(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      class: `chart ${kind}`,
      ...(title ? { role: "img", "aria-labelledby": ids.join(" ") } : { "aria-hidden": "true" }),
    },
    title ? [svgElement("title", { id: ids[0] }, title), svgElement("desc", { id: ids[1] }, description)] : null,
    xAxis(plot, x, height),
    yAxis(plot, y),
    draw(plot),
  );
}

export function line(plot, [x1, y1], [x2, y2], kind) {
  const ends = { x1: plot.x(x1), y1: plot.y(y1), x2: plot.x(x2), y2: plot.y(y2) };
  return svgElement("line", { ...ends, class: kind });
}

export function path(plot, positions, kind) {
  return svgElement("polyline", { points: corners(plot, positions), class: kind });
}

// Draw the area between the ends of the points { x, low, high }; nothing where a point has no interval.
export function band(plot, points, kind) {
  if (!points.length || points.some(({ low }) => low === null)) return null;
  const upper = points.map(({ x, high }) => [x, high]);
  const lower = points.map(({ x, low }) => [x, low]).reverse();
  return svgElement("polygon", { points: corners(plot, [...upper, ...lower]), class: `band ${kind}` });
}

// Draw a point whose hover text is `text`. Its shape tells series apart where colours do not; `data` is recorded in
// data attributes.
export function mark(plot, [x, y], { position, text, data = {}, size = 3.2, kind = "" }) {
  const shape = SHAPES[position % SHAPES.length](plot.x(x), plot.y(y), size);
  shape.setAttribute("class", `mark ${seriesClass(position)} ${kind}`);
  for (const [name, value] of Object.entries(data)) shape.setAttribute(`data-${name}`, value);
  if (text) shape.append(svgElement("title", {}, text));
  return shape;
}

// Draw the interval of an estimate { low, high } upwards at `x`; nothing where it has none.
export function interval(plot, x, { low, high }, kind = "") {
  return low === null ? null : line(plot, [x, low], [x, high], `whisker ${kind}`);
}

// Draw a bar from 0 to the value of an estimate, with its interval, along the x axis.
export function bar(plot, top, thickness, { estimate, text, kind }) {
  const { value, low, high } = estimate;
  const start = plot.x(0);
  const box = { x: start, y: top + 1, width: rounded(Math.max(0, plot.x(value) - start)), height: thickness - 2 };
  const middle = top + thickness / 2;
  return [
    svgElement("rect", { ...box, class: `bar ${kind}`, "data-value": value }, svgElement("title", {}, text)),
    low === null ? null : ["whisker-halo", "whisker"].map((each) => line(plot, [low, middle], [high, middle], each)),
  ];
}

// Write text at a point of the image, in pixels. `kind` may hold `end` or `middle` for its alignment.
export function label(x, y, text, kind = "") {
  return svgElement("text", { x: rounded(x), y: rounded(y), class: `label ${kind}` }, text);
}

// Name points { x, y, name, kind } beside their marks, on the left where there is space: at the nearest height where a
// name covers neither another name nor one of the `marks` ([x, y] each). `lift` raises all names by so many pixels.
export function nameLabels(plot, points, marks, lift = 0) {
  const { top, bottom, left } = plot.frame;
  const taken = marks.map(([x, y]) => ({ start: plot.x(x) - 4, end: plot.x(x) + 4, middle: plot.y(y) }));
  return points.map(({ x, y, name, kind }) => {
    const text = shortened(visible(name));
    const width = CHARACTER_WIDTH * text.length;
    const fitsLeft = plot.x(x) - MARK_GAP - width >= left;
    const end = fitsLeft ? plot.x(x) - MARK_GAP : plot.x(x) + MARK_GAP + width;
    const start = end - width;
    const boxes = LABEL_SHIFTS.map((shift) => ({ start, end, middle: plot.y(y) - lift + shift * LINE_HEIGHT }));
    const inside = boxes.filter(({ middle }) => middle > top && middle <= bottom);
    const chosen = inside.find((box) => !taken.some((other) => overlap(box, other))) ?? boxes[0];
    taken.push(chosen);
    const [anchorX, anchor] = fitsLeft ? [end, "end"] : [start, ""];
    return label(anchorX, chosen.middle + 3.5, text, `${anchor} ${kind}`);
  });
}

function placement({ domain, scale, inset = 0 }, start, end) {
  if (!domain) return rounded;
  const direction = Math.sign(end - start);
  const [first, last] = [start + direction * inset, end - direction * inset];
  const share = scale ?? ((value) => (value - domain[0]) / (domain[1] - domain[0]));
  return (value) => rounded(first + share(value) * (last - first));
}

function xAxis({ frame, x }, { ticks = [], format, title, grid }, height) {
  const center = (frame.left + frame.right) / 2;
  return [
    ticks.map((tick) => [
      grid ? gridLine(tick, { x1: x(tick), y1: frame.top, x2: x(tick), y2: frame.bottom }) : null,
      format ? label(x(tick), frame.bottom + 15, format(tick), "middle") : null,
    ]),
    title ? label(center, height - 3, title, "middle faint") : null,
  ];
}

function yAxis({ frame, y }, { ticks = [], format, title, grid }) {
  return [
    ticks.map((tick) => [
      grid ? gridLine(tick, { x1: frame.left, y1: y(tick), x2: frame.right, y2: y(tick) }) : null,
      format ? label(frame.left - 6, y(tick) + 3.5, format(tick), "end") : null,
    ]),
    title ? label(0, frame.top - 12, title, "faint") : null,
  ];
}

function gridLine(tick, ends) {
  return svgElement("line", { ...ends, class: tick === 0 ? "axis" : "grid" });
}

function corners(plot, positions) {
  return positions.map(([x, y]) => `${plot.x(x)},${plot.y(y)}`).join(" ");
}

function overlap(box, other) {
  const isBeside = box.start >= other.end || box.end <= other.start;
  return !isBeside && Math.abs(box.middle - other.middle) < LINE_HEIGHT;
}

function shortened(text) {
  return text.length > MAX_LABEL_LENGTH ? `${text.slice(0, MAX_LABEL_LENGTH - 1)}\u2026` : text;
}

function rounded(value) {
  return Math.round(value * 100) / 100;
}

function circle(x, y, size) {
  return svgElement("circle", { cx: x, cy: y, r: size });
}

function square(x, y, size) {
  return svgElement("rect", { x: rounded(x - size), y: rounded(y - size), width: 2 * size, height: 2 * size });
}

function diamond(x, y, size) {
  const reach = rounded(size * 1.35);
  return svgElement("path", { d: `M${x} ${y}m0 ${-reach}l${reach} ${reach}l${-reach} ${reach}l${-reach} ${-reach}Z` });
}
