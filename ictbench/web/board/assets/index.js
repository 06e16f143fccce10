// Script of the index page: one card per suite, with the leading entries of each track, and gains by suite.

import { element, paragraph } from "../../assets/dom.js";
import { signed } from "../../assets/format.js";
import { drawPage, pageDocument, section } from "../../assets/page.js";
import { dataTable } from "../../assets/table.js";
import { baseToBest } from "./base-to-best.js";
import { aboutSection } from "./about.js";
import { gainsSection } from "./suite-gains.js";
import { entryLink, kindTag, ranksText, stackedEstimate } from "./entry-format.js";

const { suites, gains, about } = pageDocument();

function suiteCard({ name, title, ranked, unranked, tracks, more_tracks: moreTracks }) {
  const folder = encodeURIComponent(name);
  const facts = [title, `${ranked} ranked`, `${unranked} not ranked`].filter(Boolean);
  return element(
    "article",
    { class: "card", "aria-label": name },
    element("h3", {}, element("a", { href: `${folder}/index.html` }, name)),
    paragraph("faint", facts.join(" \u00b7 ")),
    tracks.map((track) => trackLeaders(track, folder)),
    moreTracks
      ? paragraph("faint", element("a", { href: `${folder}/index.html` }, `${moreTracks} more tracks`))
      : null,
  );
}

function trackLeaders({ key, name, leaders }, folder) {
  return [
    element("h4", { class: "kind" }, element("a", { href: `${folder}/index.html?track=${key}` }, name)),
    dataTable({
      caption: `Leaders of ${name}`,
      columns: ["entry", "rank", "base to best", "best", "gain"],
      rows: leaders.map((entry) => [
        [entryLink(entry, `${folder}/entries/${entry.slug}.html`), " ", kindTag(entry)],
        ranksText(entry),
        baseToBest(entry.measures),
        stackedEstimate(entry.measures.best),
        stackedEstimate(entry.measures.gain, signed),
      ]),
      hideCaption: true,
    }),
  ];
}

drawPage({
  title: "ictbench leaderboard",
  sections: [
    [
      "Suites",
      section(
        "suites",
        "Suites",
        paragraph(
          "lead",
          "How well language agents learn from experience: an actor plays, a reflector rewrites the " +
            "actor\u2019s prompt, and the score is how much the actor improves on new tasks. The board has replayed every ranked run.",
        ),
        element("div", { class: "suites" }, suites.map(suiteCard)),
      ),
    ],
    ["Gains by suite", gainsSection(gains)],
    ["About", aboutSection(about)],
  ].filter(([, node]) => node),
});
