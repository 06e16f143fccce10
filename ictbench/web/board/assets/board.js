// Script of a suite's page: all parts show the track, filters and order that the reader selected.

import { loadChunk } from "../../assets/chunks.js";
import { element, paragraph } from "../../assets/dom.js";
import { drawPage, errorNote, pageDocument } from "../../assets/page.js";
import { aboutSection } from "./about.js";
import { costSection } from "./cost.js";
import { familiesSection } from "./families.js";
import { entryFilter } from "./filters.js";
import { learningCurvesSection } from "./learning-curves.js";
import { logSection } from "./log.js";
import { rankingSection, selectEntries } from "./ranking.js";
import { boardTransfersSection } from "./transfers.js";
import { unrankedSection } from "./unranked.js";
import { viewState } from "./view-state.js";

loadChunk("board").then(draw, (error) =>
  document.getElementById("content").replaceChildren(errorNote(`Cannot decompress the board: ${error.message}`)),
);

// `data` are the rows of the tables and the log.
function draw(data) {
  const board = { ...pageDocument(), ...data };
  const bySlug = new Map(board.entries.map((entry) => [entry.slug, entry]));
  const choices = viewState(
    {
      track: board.tracks[0]?.key ?? "",
      search: "",
      kind: "any",
      weights: "any",
      trained: "any",
      actorTrained: "any",
      badge: "any",
      sort: "rank",
      order: "",
      cost: "tokens",
      measure: "best",
      curves: "",
    },
    show,
  );

  const ranking = rankingSection(board, choices);
  const parts = board.tracks.length
    ? [
        ["Ranking", ranking],
        ["Cost", costSection(choices)],
        ["Families", familiesSection(board, choices)],
        ["Curves", learningCurvesSection(choices)],
      ]
    : [["Ranking", ranking]];

  function show() {
    unranked.show(choices.state);
    const track = board.tracks.find(({ key }) => key === choices.state.track) ?? board.tracks[0];
    if (!track) return;
    const all = track.entries.map((slug) => bySlug.get(slug));
    const inAllDivisions = board.tracks
      .filter(({ setup }) => setup === track.setup)
      .flatMap(({ entries }) => entries.map((slug) => bySlug.get(slug)));
    const view = {
      track,
      all,
      entries: selectEntries(all, choices.state),
      inAllDivisions: inAllDivisions.filter(entryFilter(inAllDivisions, choices.state)),
    };
    for (const [, part] of parts) part.show(view);
  }

  const tables = ["board.md", "ranking.csv", "families.csv", "unranked.csv", "transfers.csv", "log.csv"];
  const unranked = unrankedSection(board);
  unranked.node.append(
    paragraph(
      "faint",
      "This board as tables: ",
      tables.map((name, index) => [index ? ", " : "", element("a", { href: `tables/${name}` }, name)]),
    ),
  );

  show();
  drawPage({
    title: board.suite,
    subtitle: board.title,
    trail: [["All suites", "../index.html"]],
    sections: [
      ...parts.map(([name, { node }]) => [name, node]),
      ["Not ranked", unranked.node],
      ["Transfers", boardTransfersSection(board)],
      ["Log", logSection(board)],
      ["About", aboutSection(board.about)],
    ].filter(([, node]) => node),
  });
}
