// Chart primitives of all pages: axes, lines with bands, points with intervals, bars, labels, legends.
// Positions are [x, y] in the units of the axes.

import { element, svgElement, uniqueId } from "./dom.js";
import { range } from "./format.js";
import { visible } from "./visible.js";

const COLOURS = 6;

// Outlines of a circle, a square and a diamond around the current point.
const SHAPES = [
  (r) => `m${-r} 0a${r} ${r} 0 1 1 ${2 * r} 0a${r} ${r} 0 1 1 ${-2 * r} 0Z`,
  (r) => `m${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}Z`,
  (r) => `m0 ${-1.35 * r}l${1.35 * r} ${1.35 * r}l${-1.35 * r} ${1.35 * r}l${-1.35 * r} ${-1.35 * r}Z`,
];
const LINE_HEIGHT = 12;
const CHARACTER_WIDTH = 6.2;
const MARK_GAP = 8;
const MAX_LABEL_LENGTH = 28;

// Shifts of a label from its mark in lines, the nearest first: 0, 0.5, −0.5, 1, −1, …
const LABEL_SHIFTS = range(33).map((index) => ((index % 2 ? 1 : -1) * Math.ceil(index / 2)) / 2);

// So many of them leave a label close enough to its mark to be read as its name: up to two lines away.
const CLOSE_SHIFTS = 9;

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

// Draw the area between the ends of intervals { low, high } at x = 0, 1, …; nothing where one is missing.
export function band(plot, points, kind) {
  if (!points.length || points.some(({ low }) => low === null)) return null;
  const upper = points.map(({ high }, x) => [x, high]);
  const lower = points.map(({ low }, x) => [x, low]).reverse();
  return svgElement("polygon", { points: corners(plot, [...upper, ...lower]), class: `band ${kind}` });
}

// Draw a point whose hover text is `text`. Its shape tells series apart where colours do not.
export function mark(plot, [x, y], { position, text, data = {}, size = 3.2, kind = "" }) {
  const outline = `M${plot.x(x)} ${plot.y(y)}${SHAPES[position % SHAPES.length](size)}`;
  const attributes = Object.fromEntries(Object.entries(data).map(([name, value]) => [`data-${name}`, value]));
  const title = text ? svgElement("title", {}, text) : null;
  return svgElement("path", { d: outline, class: `mark ${seriesClass(position)} ${kind}`, ...attributes }, title);
}

// Draw a bar from 0 to the value of an estimate along the x axis, with its interval below it.
export function bar(plot, top, thickness, { estimate, text, kind }) {
  const { value, low, high } = estimate;
  const start = plot.x(0);
  const box = { x: start, y: top + 1, width: rounded(Math.max(0, plot.x(value) - start)), height: thickness - 5 };
  const below = top + thickness - 2;
  return [
    svgElement("rect", { ...box, class: `bar ${kind}`, "data-value": value }, svgElement("title", {}, text)),
    low === null ? null : line(plot, [low, below], [high, below], "whisker"),
  ];
}

// Write text at a point of the image, in pixels. `kind` may hold `end` or `middle` for its alignment.
export function label(x, y, text, kind = "") {
  return svgElement("text", { x: rounded(x), y: rounded(y), class: `label ${kind}` }, text);
}

// Draw named points with vertical intervals: { x, estimate: { value, low, high }, name, kind } and the options of a mark.
// Points with `isMinor` are named last, and those with `isOptional` only where there is space close to them; `lift` raises the
// names by so many pixels.
export function scatter(plot, points, lift = 0) {
  const intervals = points
    .filter(({ estimate }) => estimate.low !== null)
    .map(({ x, estimate, kind }) => line(plot, [x, estimate.low], [x, estimate.high], `whisker ${kind}`));
  const marks = points.map(({ x, estimate, ...options }) => mark(plot, [x, estimate.value], options));
  return [intervals, marks, nameLabels(plot, points, lift)];
}

// Names stand beside their marks, on the left where there is space: at the nearest height where a name covers neither
// another name nor a mark.
function nameLabels({ frame, ...plot }, points, lift) {
  const placed = points.map((point) => ({ ...point, x: plot.x(point.x), y: plot.y(point.estimate.value) }));
  const taken = placed.map(({ x, y }) => ({ start: x - 4, end: x + 4, middle: y }));
  const named = [...placed].sort((left, right) => (left.isMinor ?? false) - (right.isMinor ?? false) || left.y - right.y);
  return named.map(({ x, y, name, isOptional }) => {
    const text = shortened(visible(name));
    const width = CHARACTER_WIDTH * text.length;
    const fitsLeft = x - MARK_GAP - width >= frame.left;
    const start = fitsLeft ? x - MARK_GAP - width : Math.min(x + MARK_GAP, Math.max(frame.left, frame.right - width));
    const boxes = LABEL_SHIFTS.slice(0, isOptional ? CLOSE_SHIFTS : undefined)
      .map((shift) => y - lift + shift * LINE_HEIGHT)
      .filter((middle) => middle > frame.top && middle <= frame.bottom)
      .map((middle) => ({ start, end: start + width, middle }));
    const free = boxes.find((box) => !taken.some((other) => overlap(box, other)));
    if (!free && isOptional) return null;
    const chosen = free ?? boxes[0];
    taken.push(chosen);
    return label(fitsLeft ? chosen.end : start, chosen.middle + 3.5, text, fitsLeft ? "end" : "");
  });
}

function placement({ domain, scale, inset = 0 }, start, end) {
  if (!domain) return rounded;
  const direction = Math.sign(end - start);
  const [first, last] = [start + direction * inset, end - direction * inset];
  const share = scale ?? ((value) => (value - domain[0]) / (domain[1] - domain[0]));
  return (value) => rounded(first + share(value) * (last - first));
}

function xAxis({ frame, x }, axis, height) {
  const grid = (tick) => ({ x1: x(tick), y1: frame.top, x2: x(tick), y2: frame.bottom });
  const tickLabel = (tick, text) => label(x(tick), frame.bottom + 15, text, "middle");
  return drawAxis(axis, grid, tickLabel, [(frame.left + frame.right) / 2, height - 3, "middle"]);
}

function yAxis({ frame, y }, axis) {
  const grid = (tick) => ({ x1: frame.left, y1: y(tick), x2: frame.right, y2: y(tick) });
  const tickLabel = (tick, text) => label(frame.left - 6, y(tick) + 3.5, text, "end");
  return drawAxis(axis, grid, tickLabel, [0, frame.top - 12, ""]);
}

function drawAxis({ ticks = [], format, title, grid }, gridLine, tickLabel, [titleX, titleY, alignment]) {
  return [
    grid ? ticks.map((tick) => svgElement("line", { ...gridLine(tick), class: tick === 0 ? "axis" : "grid" })) : null,
    format ? ticks.map((tick) => tickLabel(tick, format(tick))) : null,
    title ? label(titleX, titleY, title, `faint ${alignment}`) : null,
  ];
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
