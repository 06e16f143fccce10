// Formatting of an entry in tables: ranks, costs, badges, measures with intervals.

import { element, screenReaderText } from "../../assets/dom.js";
import { count, estimate, MISSING, money, number, percent } from "../../assets/format.js";

const WEIGHTS = { true: "open", false: "closed", null: MISSING };

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

export function weightsText({ weights }) {
  return WEIGHTS[weights];
}

// Return a rank, or the range of ranks of a tie.
export function ranksText({ ranks }) {
  const [low, high] = ranks;
  return low === high ? String(low) : `${low}\u2013${high}`;
}

export function compactCount(value) {
  if (value === null) return "unknown";
  return value < 10_000 ? count(value) : compact.format(value);
}

export function dollars(value) {
  return value === 0 ? "$0" : money(value);
}

// Return a measure with its interval on a second line.
export function stackedEstimate(measure, format = number) {
  if (!measure) return MISSING;
  const [value, interval] = estimate(measure, format).split(/ (?=\[)/);
  return interval ? [element("span", { class: "value" }, value), secondLine(interval)] : value;
}

// Return the second line of a cell.
export function secondLine(text) {
  return element("span", { class: "second-line" }, text);
}

export function entryLink(entry, href) {
  return element("a", { href, class: "entry" }, entry.name);
}

// Divisions in the order of the board: each has rankings of its own.
export const DIVISIONS = {
  reflector: { name: "reflectors", text: "They rewrite the prompt once a turn." },
  memory: {
    name: "memory learners",
    text: "They also keep a memory, from which they add text to the prompt of each episode.",
  },
  optimiser: {
    name: "optimisers",
    text: "They search for prompts over the episodes of a whole loop, and may play its experience tasks again.",
  },
};

export const KINDS = {
  model: "language model",
  program: "program",
  person: "written by a person",
  unknown: "own class",
};

// Return a tag that says what writes the prompts of an entry.
export function kindTag({ kind }) {
  return element("span", { class: `kind-tag kind-${kind}` }, KINDS[kind] ?? kind);
}

// Return whether all words of a search occur in an entry's names, players or submitter.
export function isFound(entry, search) {
  const text = [entry.name, entry.slug, entry.reflector, entry.actor, entry.by].map(searchable).join("\n");
  return searchable(search)
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function searchable(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

// Return the content of the cell that heads an entry's row.
export function entryHead(entry, href) {
  return [
    entryLink(entry, href),
    " ",
    kindTag(entry),
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
  return [`${badge} ${percent(share)}`, screenReaderText(" of its episodes")];
}
