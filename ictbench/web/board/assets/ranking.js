// The ranking of one track: filtered and sorted by the reader, ranks as they are among all entries.

import { nameIn } from "./choices.js";
import { element, picker, setOptions } from "./dom.js";
import { badgeList, below, dollars, entryHead, ranksOf, stacked, tokens, weightsOf } from "./entry-words.js";
import { forest } from "./forest.js";
import { number, signed } from "./format.js";
import { section } from "./site-frame.js";
import { scrollBox } from "./table.js";

const measure = (name) => (entry) => entry.measures[name]?.value ?? null;

// `value` is sorted by, the highest first unless `up`.
const COLUMNS = [
  { key: "rank", head: "rank", value: ({ ranks }) => ranks[0] + ranks[1] / 1000, up: true, cell: ranksOf },
  { key: "name", head: "entry", value: ({ name }) => name.toLowerCase(), up: true },
  { head: "0 \u2026 1", cell: ({ measures }) => forest(measures) },
  { key: "best", head: "best", value: measure("best"), cell: ({ measures }) => stacked(measures.best) },
  { key: "gain", head: "gain", value: measure("gain"), cell: ({ measures }) => stacked(measures.gain, signed) },
  { key: "last", head: "last", value: measure("last"), cell: ({ measures }) => number(measures.last.value) },
  {
    key: "headroom",
    head: "headroom",
    value: measure("headroom_gain"),
    cell: ({ measures }) => stacked(measures.headroom_gain, signed),
  },
  {
    key: "blind",
    head: "over blind",
    value: measure("over_blind"),
    cell: ({ measures }) => stacked(measures.over_blind, signed),
  },
  { head: "badges", cell: badgeList },
  {
    head: "trained on",
    cell: (entry) => [entry.trained_on, entry.weights === null ? null : below(`${weightsOf(entry)} weights`)],
  },
  {
    key: "tokens",
    head: "tokens",
    value: ({ cost }) => cost.tokens,
    up: true,
    cell: ({ cost }) => [tokens(cost.tokens), below(dollars(cost.usd))],
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

// The entries of a track that the reader wants to see, in the order that was asked for.
export function chooseEntries(ranked, { weights, badge, trained, sort, order }) {
  const words = ranked.some((entry) => entry.trained_on === trained) ? trained : "any";
  const kept = ranked.filter(
    (entry) =>
      FILTERS.weights[nameIn(FILTERS.weights, weights)](entry) &&
      FILTERS.badge[nameIn(FILTERS.badge, badge)](entry) &&
      (words === "any" || entry.trained_on === words),
  );
  const { value, up = false } = COLUMNS.find(({ key }) => key && key === sort) ?? COLUMNS[0];
  const ascending = (order || (up ? "up" : "down")) === "up";
  const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0) * (ascending ? 1 : -1);
  return [...kept].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    // What is not known comes last, whichever way.
    return a === null || b === null ? (a === null) - (b === null) : compare(a, b);
  });
}

export function rankingSection(board, chosen, set) {
  const options = (names) => names.map((name) => [name, name]);
  const track = picker(
    "Profile and actor",
    board.tracks.map(({ key, name }) => [key, name]),
    (key) => set({ track: key, trained: "any", curves: "" }),
  );
  const weights = picker("Weights of the reflector", options(Object.keys(FILTERS.weights)), (value) =>
    set({ weights: value }),
  );
  const trained = picker("Trained on", [], (value) => set({ trained: value }));
  const badge = picker("Badge", options(Object.keys(FILTERS.badge)), (value) => set({ badge: value }));
  const status = element("p", { class: "faint", role: "status" });
  const about = element("p", { class: "faint" });
  const body = element("tbody", {});
  const heads = COLUMNS.map(({ key, head, up = false }) => columnHead(key, head, () => set(sortBy(chosen, key, up))));
  const table = element(
    "table",
    { class: "ranking" },
    element("caption", { class: "spoken" }, "Ranking"),
    element("thead", {}, element("tr", {}, heads)),
    body,
  );

  function update({ track: shown, all, entries }) {
    const words = [...new Set(all.map(({ trained_on: each }) => each))].sort();
    setOptions(trained.select, options(["any", ...words]));
    track.select.value = shown.key;
    weights.select.value = nameIn(FILTERS.weights, chosen.weights);
    badge.select.value = nameIn(FILTERS.badge, chosen.badge);
    trained.select.value = words.includes(chosen.trained) ? chosen.trained : "any";
    about.replaceChildren(aboutTrack(shown, all));
    status.textContent =
      entries.length === all.length
        ? `All ${all.length} of this track.`
        : `${entries.length} of ${all.length} are shown; ranks are among all of them.`;
    heads.forEach((head, index) => markSorted(head, COLUMNS[index], chosen));
    body.replaceChildren(...(entries.length ? entries.map(row) : [nothing()]));
  }

  const node = section(
    "ranking",
    "Ranking",
    element(
      "p",
      { class: "lead" },
      "Reflectors ranked for one actor, by success on test tasks under the best prompt: mean over held-out families, " +
        "with 95 % intervals. A range of ranks is a tie: those differences may be chance. On the line from 0 to 1 the " +
        "hollow mark is the first prompt, the filled one the best.",
    ),
    board.tracks.length
      ? [
          element("div", { class: "pickers" }, [track, weights, trained, badge].map((each) => each.node)),
          about,
          scrollBox(table, "Ranking, all columns"),
          status,
        ]
      : element("p", { class: "note" }, "Nothing is ranked yet."),
  );
  return { node, update };
}

function columnHead(key, head, click) {
  const content = key ? element("button", { type: "button", class: "sort", click }, head) : head;
  return element("th", { scope: "col", "data-key": key ?? null }, content);
}

// A second press turns the order around.
function sortBy(chosen, key, up) {
  const natural = up ? "up" : "down";
  const turned = chosen.sort === key && !chosen.order;
  return { sort: key, order: turned ? (natural === "up" ? "down" : "up") : "" };
}

function markSorted(head, { key, up = false }, { sort, order }) {
  if (key && key === sort) {
    const ascending = (order || (up ? "up" : "down")) === "up";
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  } else head.removeAttribute("aria-sort");
}

function row(entry) {
  const cells = COLUMNS.map(({ head, cell }) =>
    head === "entry"
      ? element("th", { scope: "row" }, entryHead(entry, `entries/${entry.slug}.html`))
      : element("td", { class: head === "rank" ? "rank" : null }, cell(entry)),
  );
  return element("tr", {}, cells);
}

function nothing() {
  return element("tr", {}, element("td", { colspan: COLUMNS.length, class: "nothing" }, "No entry is like that."));
}

function aboutTrack({ actor, scripted }, all) {
  const parts = [scripted ? `Actor ${actor}: a program, no language model.` : `Actor ${actor}.`];
  if (all.length > 1) parts.push(` All ${all.length} played the same tasks.`);
  return element("span", {}, parts);
}
