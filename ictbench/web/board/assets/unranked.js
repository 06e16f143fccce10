// Entries that the board shows but does not rank, grouped by reason.

import { element, paragraph } from "../../assets/dom.js";
import { number, signed } from "../../assets/format.js";
import { section } from "../../assets/page.js";
import { dataTable } from "../../assets/table.js";
import { badgeList, DIVISIONS, entryHead, isFound, secondLine, stackedEstimate } from "./entry-format.js";

const COLUMNS = ["entry", "reason", "actor", "profile", "best", "gain", "last", "badges", "date"];

const GROUPS = {
  trained: [
    "Trained on held-out families",
    "The reflector or the actor of these entries was trained on the families that it is tested on, so their numbers do " +
      "not show how they do on new families.",
  ],
  waiting: [
    "Not replayed yet",
    "The board has not replayed these runs: their numbers are the submitters\u2019 claims.",
  ],
  control: ["Controls", "Baselines, and prompts written by a person: what an actor gains without learning from experience."],
  shown: ["Shown unranked", "Runs that do not qualify for a ranking, added by the board\u2019s maintainers."],
};

// Return { node, show }: `show(state)` shows the entries that the reader's search finds.
export function unrankedSection(board) {
  const content = element("div", {});
  const node = section("unranked", "Not ranked", content, badView(board.bad));
  const all = board.entries.filter(({ section: name }) => Object.hasOwn(GROUPS, name));

  let shown = null;

  function show({ search }) {
    if (search === shown) return;
    shown = search;
    const found = all.filter((entry) => isFound(entry, search));
    const groups = Object.entries(GROUPS)
      .map(([name, texts]) => [texts, found.filter((entry) => entry.section === name)])
      .filter(([, entries]) => entries.length);
    const none = board.entries.length ? "All entries are ranked." : "No entry yet.";
    const nothing = all.length ? "No unranked entry matches the search." : none;
    content.replaceChildren(
      ...(groups.length
        ? groups.flatMap(([texts, entries]) => groupView(texts, entries))
        : [paragraph("faint", nothing)]),
    );
  }

  return { node, show };
}

// Submissions without a page, because the board cannot read or process them.
function badView(bad) {
  if (!bad.length) return null;
  return [
    element("h3", { class: "kind" }, "Cannot be shown"),
    paragraph("lead", "The board cannot read or process these submissions."),
    dataTable({
      caption: "Cannot be shown",
      columns: ["submission", "reason"],
      rows: bad.map(({ slug, reason }) => [slug, element("span", { class: "reason" }, reason)]),
      hideCaption: true,
    }),
  ];
}

function groupView([heading, lead], entries) {
  return [
    element("h3", { class: "kind" }, heading),
    paragraph("lead", lead),
    element(
      "div",
      { class: "unranked" },
      dataTable({
        caption: heading,
        columns: COLUMNS,
        rows: entries.map(entryRow),
        hideCaption: true,
      }),
    ),
  ];
}

function entryRow(entry) {
  const { best, gain, last } = entry.measures;
  return [
    entryHead(entry, `entries/${entry.slug}.html`),
    element("span", { class: "reason" }, entry.why),
    entry.actor,
    [entry.profile, entry.division === "reflector" ? null : secondLine(DIVISIONS[entry.division].name)],
    stackedEstimate(best),
    stackedEstimate(gain, signed),
    number(last?.value),
    badgeList(entry),
    entry.date,
  ];
}
