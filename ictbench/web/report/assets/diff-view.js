// A difference of two texts as a block to read. Long stretches that stayed are folded.

import { diffLines } from "./diff.js";
import { element } from "./dom.js";

const CONTEXT = 2;
const SIGNS = { same: " ", removed: "\u2212", added: "+" };
const TAGS = { same: "span", removed: "del", added: "ins" };

export function diffView(before, after) {
  const rows = diffLines(before, after);
  const near = (index) =>
    rows.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((row) => row.kind !== "same");
  const shown = [];
  let folded = 0;
  const closeFold = () => {
    if (folded)
      shown.push(
        element("span", { class: "row fold" }, `  \u2026 ${folded} unchanged ${folded === 1 ? "line" : "lines"}`),
      );
    folded = 0;
  };
  rows.forEach((row, index) => {
    if (!near(index)) {
      folded += 1;
      return;
    }
    closeFold();
    shown.push(rowView(row));
  });
  closeFold();
  return element("div", { class: "diff" }, shown);
}

function rowView({ kind, parts }) {
  const words = parts.map(({ text, changed }) => (changed ? element("mark", {}, text) : text));
  return element(
    TAGS[kind],
    { class: `row ${kind}` },
    element("span", { class: "sign" }, SIGNS[kind]),
    element("span", {}, words),
  );
}
