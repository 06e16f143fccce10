// Ranking of one track. The reader filters and sorts it; ranks stay those among all entries of the track.

import { element, paragraph } from "../../assets/dom.js";
import { number, signed } from "../../assets/format.js";
import { section } from "../../assets/page.js";
import { columnHead, dataCell, scrollBox, table } from "../../assets/table.js";
import { meaning, term, termList } from "../../assets/terms.js";
import { explained } from "../../assets/tooltip.js";
import { baseToBest } from "./base-to-best.js";
import {
  badgeList,
  compactCount,
  DIVISIONS,
  dollars,
  entryHead,
  ranksText,
  secondLine,
  stackedEstimate,
  weightsText,
} from "./entry-format.js";
import { entryFilter, filterControls } from "./filters.js";

const measure = (name) => (entry) => entry.measures[name]?.value ?? null;

// `value` is the sort key of a column: highest first, or lowest first if `ascending`.
const COLUMNS = [
  { key: "rank", head: "rank", value: ({ ranks }) => ranks[0] + ranks[1] / 1000, ascending: true, cell: ranksText },
  { key: "name", head: "entry", value: ({ name }) => name.toLowerCase(), ascending: true },
  { head: "base to best", cell: ({ measures }) => baseToBest(measures) },
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
      blind ? element("span", { class: "second-line arm" }, `over ${blind.name}, by ${blind.by}`) : null,
    ],
  },
  {
    key: "progress",
    head: "progress",
    value: measure("progress"),
    cell: ({ measures }) => stackedEstimate(measures.progress),
    needs: "progress",
  },
  {
    key: "forgetting",
    head: "forgetting",
    value: measure("forgetting"),
    cell: ({ measures }) => stackedEstimate(measures.forgetting, signed),
    needs: "forgetting",
  },
  {
    key: "transfer",
    head: "forward transfer",
    value: measure("forward_transfer"),
    cell: ({ measures }) => stackedEstimate(measures.forward_transfer, signed),
    needs: "forgetting",
  },
  { head: "badges", cell: badgeList },
  {
    head: "trained on",
    cell: (entry) => [
      element("span", { class: "training" }, entry.trained_on),
      entry.weights === null ? null : secondLine(`${weightsText(entry)} weights`),
    ],
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

// A column that needs a measure is shown on boards with entries that have it, e.g. those of streams.
function columnsOf({ entries }) {
  return COLUMNS.filter(({ needs }) => !needs || entries.some(({ measures }) => Object.hasOwn(measures, needs)));
}

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

function isAscending({ ascending = false }, { order }) {
  return order ? order === "up" : ascending;
}

export function rankingSection(board, { state, update }) {
  const filters = filterControls(board, state, update);
  const status = element("p", { class: "faint", role: "status" });
  const about = paragraph("faint");
  const body = element("tbody", { role: "rowgroup" });
  const columns = columnsOf(board);
  const heads = columns.map((column) => sortableHead(column, () => update(sortBy(column, state))));
  const ranking = table({ kind: "ranking", caption: "Ranking", heads, body, hideCaption: true });

  function show({ track, all, entries }) {
    filters.show(track, all);
    about.replaceChildren(element("span", {}, trackText(track, all)));
    status.textContent =
      entries.length === all.length
        ? `All ${all.length} entries of this track.`
        : `${entries.length} of ${all.length} entries are shown; ranks are among all of them.`;
    heads.forEach((head, index) => markSorted(head, columns[index], state));
    body.replaceChildren(...(entries.length ? entries.map((entry) => entryRow(entry, columns)) : [emptyRow(columns)]));
  }

  const node = section(
    "ranking",
    "Ranking",
    paragraph(
      "lead",
      "Learners of one division for one actor, ranked by success rate on test tasks under the best prompt: mean over held-out " +
        "families, with 95 % intervals. A range of ranks is a tie: the differences may be chance.",
    ),
    board.tracks.length
      ? [
          filters.node,
          about,
          scrollBox(ranking, "Ranking, all columns"),
          status,
          termList(columns.map(({ head }) => head)),
        ]
      : paragraph("note", "No entry is ranked yet."),
  );
  return { node, show };
}

function sortableHead({ key, head }, click) {
  const content = key
    ? explained(element("button", { type: "button", class: "sort", click }, head), meaning(head))
    : term(head);
  return columnHead({ "data-key": key ?? null }, content);
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

function entryRow(entry, columns) {
  const cells = columns.map(({ head, cell }) =>
    head === "entry"
      ? element(
          "th",
          { scope: "row", role: "rowheader", "data-label": head },
          entryHead(entry, `entries/${entry.slug}.html`),
        )
      : dataCell(head, cell(entry), { class: head === "rank" ? "rank" : null }),
  );
  return element("tr", { role: "row", class: `of-${entry.kind}` }, cells);
}

function emptyRow(columns) {
  const text = "No entry passes these filters.";
  return element("tr", { role: "row" }, dataCell(null, text, { colspan: columns.length, class: "empty" }));
}

function trackText({ actor, scripted, division }, all) {
  const { name, text } = DIVISIONS[division];
  const parts = [
    `Division of ${name}. ${text}`,
    scripted ? `Actor ${actor}: a scripted program, not a language model.` : `Actor ${actor}.`,
  ];
  if (all.length > 1) parts.push(`All ${all.length} entries played the same tasks.`);
  return parts.join(" ");
}
