// What an entry is, in the words and signs that all tables share.

import { element, spoken } from "./dom.js";
import { count, estimate, money, number, percent } from "./format.js";

const WEIGHTS = { true: "open", false: "closed", null: "\u2013" };

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

export function weightsOf({ weights }) {
  return WEIGHTS[weights];
}

// A rank, or the range of a tie.
export function ranksOf({ ranks }) {
  const [low, high] = ranks;
  return low === high ? String(low) : `${low}\u2013${high}`;
}

export function tokens(number) {
  return number < 10_000 ? count(number) : compact.format(number);
}

export function dollars(value) {
  return value === 0 ? "$0" : money(value);
}

// A number with its interval below it.
export function stacked(measure, write = number) {
  if (!measure) return write(null);
  const [value, interval] = estimate(measure, write).split(/ (?=\[)/);
  return interval ? [element("span", { class: "value" }, value), below(interval)] : value;
}

// The second line of a cell.
export function below(text) {
  return element("span", { class: "below" }, text);
}

export function entryLink(entry, href) {
  return element("a", { href, class: "entry" }, entry.name);
}

// An entry as the head of its row.
export function entryHead(entry, href) {
  return [
    entryLink(entry, href),
    element("span", { class: "faint" }, `${entry.reflector} \u00b7 ${entry.by}`),
    entry.remarks.map((remark) => element("span", { class: "faint bad" }, remark)),
  ];
}

export function badgeList(entry) {
  if (!entry.badges.length) return element("span", { class: "faint" }, "none");
  return element(
    "span",
    { class: "badges" },
    entry.badges.map((badge) => [element("span", { class: `badge ${badge}` }, badgeText(badge, entry)), " "]),
  );
}

function badgeText(badge, { replayed_share: share }) {
  if (badge !== "replayed" || share >= 1) return badge;
  return [`${badge} ${percent(share)}`, spoken(" of its episodes")];
}
