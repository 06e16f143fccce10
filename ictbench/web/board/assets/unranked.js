// Entries that the board shows but does not rank, grouped by reason.

import { element, paragraph } from "../../assets/dom.js";
import { estimate, number, signed } from "../../assets/format.js";
import { section } from "../../assets/page.js";
import { dataTable } from "../../assets/table.js";
import { badgeList, entryHead } from "./entry-format.js";

const GROUPS = {
  trained: [
    "Trained on held-out families",
    "These reflectors were trained on the families that they are tested on, so their numbers do not show how they do " +
      "on new families.",
  ],
  waiting: [
    "Not replayed yet",
    "The board has not replayed these runs: their numbers are the submitters\u2019 claims.",
  ],
  control: ["Controls", "Baselines that show what an actor gains without learning from experience."],
  shown: ["Shown unranked", "Runs that do not qualify for a ranking, added by the board\u2019s maintainers."],
};

export function unrankedSection(board) {
  const groups = Object.entries(GROUPS)
    .map(([name, texts]) => [texts, board.entries.filter((entry) => entry.section === name)])
    .filter(([, entries]) => entries.length);
  return section(
    "unranked",
    "Not ranked",
    groups.length
      ? groups.map(([texts, entries]) => groupView(texts, entries))
      : paragraph("faint", "All entries are ranked."),
    badView(board.bad),
  );
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
        columns: ["entry", "reason", "actor", "profile", "best", "gain", "last", "badges", "date"],
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
    entry.profile,
    estimate(best),
    estimate(gain, signed),
    number(last?.value),
    badgeList(entry),
    entry.date,
  ];
}
