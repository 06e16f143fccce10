// A suite's page: every part shows the track, the filters and the order that the reader chose.

import { logSection } from "./board-log.js";
import { choices } from "./choices.js";
import { costSection } from "./cost-gain.js";
import { curvesSection } from "./curves-compared.js";
import { element } from "./dom.js";
import { familySection } from "./family-table.js";
import { chooseEntries, rankingSection } from "./ranking.js";
import { drawPage } from "./site-frame.js";
import { unrankedSection } from "./unranked.js";

const board = JSON.parse(document.getElementById("document").textContent);
const bySlug = new Map(board.entries.map((entry) => [entry.slug, entry]));
const { chosen, set } = choices(
  {
    track: board.tracks[0]?.key ?? "",
    weights: "any",
    trained: "any",
    badge: "any",
    sort: "rank",
    order: "",
    cost: "tokens",
    measure: "best",
    curves: "",
  },
  update,
);

const ranking = rankingSection(board, chosen, set);
const parts = board.tracks.length
  ? [
      ["Ranking", ranking],
      ["Cost", costSection(chosen, set)],
      ["Families", familySection(board, chosen, set)],
      ["Curves", curvesSection(chosen, set)],
    ]
  : [["Ranking", ranking]];

function update() {
  const track = board.tracks.find(({ key }) => key === chosen.track) ?? board.tracks[0];
  if (!track) return;
  const all = track.entries.map((slug) => bySlug.get(slug));
  const view = { track, all, entries: chooseEntries(all, chosen) };
  for (const [, part] of parts) part.update(view);
}

const tables = ["board.md", "ranking.csv", "families.csv", "unranked.csv", "log.csv"];
const unranked = unrankedSection(board);
unranked.append(
  element(
    "p",
    { class: "faint" },
    "The same as tables: ",
    tables.map((name, index) => [index ? ", " : "", element("a", { href: `tables/${name}` }, name)]),
  ),
);

update();
drawPage({
  title: board.suite,
  subtitle: board.title,
  trail: [["All suites", "../index.html"]],
  sections: [...parts.map(([name, { node }]) => [name, node]), ["Not ranked", unranked], ["Log", logSection(board)]],
});
