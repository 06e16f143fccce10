// Pick an episode and play it back.

import { element } from "./dom.js";
import { episodeList } from "./episode-list.js";
import { libraryOf } from "./library.js";
import { stage } from "./stage.js";

// Answers { node, open }: `open(run, key)` shows an episode.
export function episodesSection(report, options = {}) {
  const library = libraryOf(report, options);
  const { node: stageNode, open } = stage(library);
  const notes = report.runs.map(({ label, episodes }) =>
    library.several ? `${label}: ${episodes.note}` : episodes.note,
  );
  const node = element(
    "section",
    { id: "episodes", "aria-labelledby": "episodes-heading" },
    element("h2", { id: "episodes-heading" }, "Episodes"),
    notes.map((note) => element("p", { class: "faint" }, note)),
    library.runs.some((run) => library.groups(run).length) ? episodeList(library, open) : null,
    element(
      "p",
      { class: "faint" },
      "In the player: \u2190 and \u2192 step, Home and End go to the first decision and to the end.",
    ),
    stageNode,
  );
  return { node, open };
}
