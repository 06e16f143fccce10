// The index: a card a suite, with what leads each of its tracks.

import { element } from "./dom.js";
import { entryLink, ranksOf } from "./entry-words.js";
import { forest } from "./forest.js";
import { estimate, signed } from "./format.js";
import { drawPage, section } from "./site-frame.js";
import { dataTable } from "./table.js";

const { suites } = JSON.parse(document.getElementById("document").textContent);

function card({ name, title, ranked, unranked, tracks }) {
  const place = encodeURIComponent(name);
  return element(
    "article",
    { class: "card", "aria-label": name },
    element("h3", {}, element("a", { href: `${place}/index.html` }, name)),
    element("p", { class: "faint" }, [title, `${ranked} ranked`, `${unranked} not ranked`].filter(Boolean).join(" \u00b7 ")),
    tracks.map((track) => leaders(track, place)),
  );
}

function leaders({ key, name, leaders: first }, place) {
  return [
    element("h4", { class: "kind" }, element("a", { href: `${place}/index.html?track=${key}` }, name)),
    dataTable({
      caption: `First in ${name}`,
      columns: ["entry", "rank", "base to best", "best", "gain"],
      rows: first.map((entry) => [
        entryLink(entry, `${place}/entries/${entry.slug}.html`),
        ranksOf(entry),
        forest(entry.measures),
        estimate(entry.measures.best),
        estimate(entry.measures.gain, signed),
      ]),
      hideCaption: true,
    }),
  ];
}

drawPage({
  title: "ictbench leaderboard",
  subtitle: "",
  trail: [],
  sections: [
    [
      "Suites",
      section(
        "suites",
        "Suites",
        element(
          "p",
          { class: "lead" },
          "How well language agents learn from experience: an actor plays, a reflector rewrites its prompt, and what " +
            "counts is how much better the actor becomes on tasks it has never seen. What is ranked here was played " +
            "again by the board.",
        ),
        element("div", { class: "suites" }, suites.map(card)),
      ),
    ],
  ],
});
