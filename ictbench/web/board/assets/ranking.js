// Ranking of one track. The reader filters and sorts it; ranks stay those among all entries of the track.

import { element, paragraph, picker, setOptions } from "../../assets/dom.js";
import { number, signed } from "../../assets/format.js";
import { section } from "../../assets/page.js";
import { scrollBox } from "../../assets/table.js";
import { baseToBest } from "./base-to-best.js";
import {
  badgeList,
  compactCount,
  dollars,
  entryHead,
  ranksText,
  secondLine,
  stackedEstimate,
  weightsText,
} from "./entry-format.js";
import { keyOrFirst } from "./view-state.js";

const measure = (name) => (entry) => entry.measures[name]?.value ?? null;

// `value` is the sort key of a column: highest first, or lowest first if `ascending`.
const COLUMNS = [
  { key: "rank", head: "rank", value: ({ ranks }) => ranks[0] + ranks[1] / 1000, ascending: true, cell: ranksText },
  { key: "name", head: "entry", value: ({ name }) => name.toLowerCase(), ascending: true },
  { head: "0 \u2026 1", cell: ({ measures }) => baseToBest(measures) },
  { key: "best", head: "best", value: measure("best"), cell: ({ measures }) => stackedEstimate(measures.best) },
  { key: "gain", head: "gain", value: measure("gain"), cell: ({ measures }) => stackedEstimate(measures.gain, signed) },
  { key: "last", head: "last", value: measure("last"), cell: ({ measures }) => number(measures.last.value) },
  {
    key: "headroom",
    head: "headroom gain",
    value: measure("headroom_gain"),
    cell: ({ measures }) => stackedEstimate(measures.headroom_gain, signed),
  },
  {
    key: "blind",
    head: "over blind",
    value: measure("over_blind"),
    cell: ({ measures, blind }) => [
      stackedEstimate(measures.over_blind, signed),
      blind ? secondLine(`over ${blind.name}, by ${blind.by}`) : null,
    ],
  },
  { head: "badges", cell: badgeList },
  {
    head: "trained on",
    cell: (entry) => [entry.trained_on, entry.weights === null ? null : secondLine(`${weightsText(entry)} weights`)],
  },
  {
    key: "tokens",
    head: "tokens",
    value: ({ cost }) => cost.tokens,
    ascending: true,
    cell: ({ cost }) => [compactCount(cost.tokens), secondLine(dollars(cost.usd))],
  },
  { key: "date", head: "date", value: ({ date }) => date, cell: ({ date }) => date },
];

const FILTERS = {
  weights: {
    any: () => true,
    open: ({ weights }) => weights === true,
    closed: ({ weights }) => weights === false,
    none: ({ weights }) => weights === null,
  },
  badge: {
    any: () => true,
    "replayed in full": ({ replayed_share: share }) => share >= 1,
    rerun: ({ badges }) => badges.includes("rerun"),
  },
};

// Return the entries of a track that pass the filters, in the selected order.
export function selectEntries(all, state) {
  const isWanted = entryFilter(all, state);
  const column = COLUMNS.find(({ key }) => key && key === state.sort) ?? COLUMNS[0];
  const sign = isAscending(column, state) ? 1 : -1;
  return all.filter(isWanted).sort((left, right) => {
    const [a, b] = [column.value(left), column.value(right)];
    // Entries without the value come last in either order.
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  });
}

function entryFilter(all, { weights, badge, trained }) {
  const hasWeights = FILTERS.weights[keyOrFirst(FILTERS.weights, weights)];
  const hasBadge = FILTERS.badge[keyOrFirst(FILTERS.badge, badge)];
  const isTrainingKnown = all.some((entry) => entry.trained_on === trained);
  return (entry) => hasWeights(entry) && hasBadge(entry) && (!isTrainingKnown || entry.trained_on === trained);
}

function isAscending({ ascending = false }, { order }) {
  return order ? order === "up" : ascending;
}

export function rankingSection(board, { state, update }) {
  const pickers = filterPickers(board, update);
  const status = element("p", { class: "faint", role: "status" });
  const about = paragraph("faint");
  const body = element("tbody", {});
  const heads = COLUMNS.map((column) => columnHead(column, () => update(sortBy(column, state))));
  const table = element(
    "table",
    { class: "ranking" },
    element("caption", { class: "visually-hidden" }, "Ranking"),
    element("thead", {}, element("tr", {}, heads)),
    body,
  );

  function show({ track, all, entries }) {
    showFilters(pickers, track, all, state);
    about.replaceChildren(element("span", {}, trackText(track, all)));
    status.textContent =
      entries.length === all.length
        ? `All ${all.length} entries of this track.`
        : `${entries.length} of ${all.length} entries are shown; ranks are among all of them.`;
    heads.forEach((head, index) => markSorted(head, COLUMNS[index], state));
    body.replaceChildren(...(entries.length ? entries.map(entryRow) : [emptyRow()]));
  }

  const node = section(
    "ranking",
    "Ranking",
    paragraph(
      "lead",
      "Reflectors for one actor, ranked by success rate on test tasks under the best prompt: mean over held-out " +
        "families, with 95 % intervals. A range of ranks is a tie: the differences may be chance. On the line from 0 " +
        "to 1 the hollow mark is the first prompt, the filled mark the best one.",
    ),
    board.tracks.length
      ? [
          element(
            "div",
            { class: "pickers" },
            Object.values(pickers).map((each) => each.node),
          ),
          about,
          scrollBox(table, "Ranking, all columns"),
          status,
        ]
      : paragraph("note", "No entry is ranked yet."),
  );
  return { node, show };
}

function filterPickers(board, update) {
  return {
    track: picker(
      "Profile and actor",
      board.tracks.map(({ key, name }) => [key, name]),
      (track) => update({ track, trained: "any", curves: "" }),
    ),
    weights: picker("Weights of the reflector", Object.keys(FILTERS.weights), (weights) => update({ weights })),
    trained: picker("Trained on", [], (trained) => update({ trained })),
    badge: picker("Badge", Object.keys(FILTERS.badge), (badge) => update({ badge })),
  };
}

function showFilters(pickers, track, all, state) {
  const trainings = [...new Set(all.map((entry) => entry.trained_on))].sort();
  setOptions(pickers.trained.select, ["any", ...trainings]);
  pickers.track.select.value = track.key;
  pickers.weights.select.value = keyOrFirst(FILTERS.weights, state.weights);
  pickers.badge.select.value = keyOrFirst(FILTERS.badge, state.badge);
  pickers.trained.select.value = trainings.includes(state.trained) ? state.trained : "any";
}

function columnHead({ key, head }, click) {
  const content = key ? element("button", { type: "button", class: "sort", click }, head) : head;
  return element("th", { scope: "col", "data-key": key ?? null }, content);
}

// A second click on the same column reverses the order.
function sortBy({ key, ascending = false }, { sort, order }) {
  const isReversal = sort === key && !order;
  return { sort: key, order: isReversal ? (ascending ? "down" : "up") : "" };
}

function markSorted(head, column, state) {
  if (column.key && column.key === state.sort)
    head.setAttribute("aria-sort", isAscending(column, state) ? "ascending" : "descending");
  else head.removeAttribute("aria-sort");
}

function entryRow(entry) {
  const cells = COLUMNS.map(({ head, cell }) =>
    head === "entry"
      ? element("th", { scope: "row" }, entryHead(entry, `entries/${entry.slug}.html`))
      : element("td", { class: head === "rank" ? "rank" : null }, cell(entry)),
  );
  return element("tr", {}, cells);
}

function emptyRow() {
  const text = "No entry passes these filters.";
  return element("tr", {}, element("td", { colspan: COLUMNS.length, class: "empty" }, text));
}

function trackText({ actor, scripted }, all) {
  const parts = [scripted ? `Actor ${actor}: a scripted program, not a language model.` : `Actor ${actor}.`];
  if (all.length > 1) parts.push(`All ${all.length} entries played the same tasks.`);
  return parts.join(" ");
}
