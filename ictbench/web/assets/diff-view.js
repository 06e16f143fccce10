// A difference of two texts as a readable block. Long unchanged stretches are folded.

import { diffLines } from "./diff.js";
import { element } from "./dom.js";
import { counted } from "./format.js";

const CONTEXT_LINES = 2;
const SIGNS = { same: " ", removed: "\u2212", added: "+" };
const TAGS = { same: "span", removed: "del", added: "ins" };

export function diffView(before, after) {
  const rows = diffLines(before, after);
  const isNearChange = (index) =>
    rows.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some((row) => row.kind !== "same");
  const nodes = [];
  let folded = 0;
  const closeFold = () => {
    if (folded) nodes.push(element("span", { class: "row fold" }, `  \u2026 ${counted(folded, "unchanged line")}`));
    folded = 0;
  };
  rows.forEach((row, index) => {
    if (!isNearChange(index)) {
      folded += 1;
      return;
    }
    closeFold();
    nodes.push(rowView(row));
  });
  closeFold();
  return element("div", { class: "diff" }, nodes);
}

function rowView({ kind, parts }) {
  const texts = parts.map(({ text, changed }) => (changed ? element("mark", {}, text) : text));
  return element(
    TAGS[kind],
    { class: `row ${kind}` },
    element("span", { class: "sign" }, SIGNS[kind]),
    element("span", {}, texts),
  );
}
