// Section in which a reader selects an episode and replays it.

import { paragraph } from "../dom.js";
import { section } from "../page.js";
import { episodeLibrary } from "./episode-library.js";
import { episodeList } from "./episode-list.js";
import { episodeStage } from "./episode-stage.js";

// Return { node, open }: `open(run, key)` shows an episode.
export function episodesSection(report, options = {}) {
  const library = episodeLibrary(report, options);
  const { node: stage, open } = episodeStage(library);
  const notes = report.runs.map(({ label, episodes }) =>
    library.several ? `${label}: ${episodes.note}` : episodes.note,
  );
  const node = section(
    "episodes",
    "Episodes",
    notes.map((note) => paragraph("faint", note)),
    library.runs.some((run) => library.groups(run).length) ? episodeList(library, open) : null,
    paragraph(
      "faint",
      "Keys in the player: \u2190 previous decision, \u2192 next decision, Home first decision, End last screen.",
    ),
    stage,
  );
  return { node, open };
}
