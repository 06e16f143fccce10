// What the board shows and does not rank, each kind with the reason.

import { element } from "./dom.js";
import { badgeList, entryHead } from "./entry-words.js";
import { estimate, number, signed } from "./format.js";
import { section } from "./site-frame.js";
import { dataTable } from "./table.js";

const KINDS = {
  trained: [
    "Trained on held-out families",
    "Their reflectors have met what they are tested on, so their numbers say little of new families.",
  ],
  waiting: ["Not replayed yet", "The board has not played their actions again: these numbers are claims."],
  control: ["Controls", "Arms that show what something other than experience brings."],
  shown: ["Shown as they are", "Runs that no ranking takes, put here by the board."],
};

export function unrankedSection(board) {
  const groups = Object.entries(KINDS)
    .map(([kind, words]) => [words, board.entries.filter((entry) => entry.section === kind)])
    .filter(([, entries]) => entries.length);
  return section(
    "unranked",
    "Not ranked",
    groups.length ? groups.map(([words, entries]) => group(words, entries)) : element("p", { class: "faint" }, "Nothing."),
  );
}

function group([heading, lead], entries) {
  return [
    element("h3", { class: "kind" }, heading),
    element("p", { class: "lead" }, lead),
    element(
      "div",
      { class: "unranked" },
      dataTable({
        caption: heading,
        columns: ["entry", "why", "actor", "profile", "best", "gain", "last", "badges", "date"],
        rows: entries.map(row),
        hideCaption: true,
      }),
    ),
  ];
}

function row(entry) {
  const { best, gain, last } = entry.measures;
  return [
    entryHead(entry, `entries/${entry.slug}.html`),
    element("span", { class: "why" }, entry.why),
    entry.actor,
    entry.profile,
    estimate(best),
    estimate(gain, signed),
    number(last?.value),
    badgeList(entry),
    entry.date,
  ];
}
