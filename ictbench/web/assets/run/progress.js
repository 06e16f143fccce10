// Progress on test tasks, where the environment measures it, as a table beside success.

import { element } from "../dom.js";
import { estimate, signed } from "../format.js";
import { dataTable } from "../table.js";

// Return null if no result has progress.
export function progressTable(entries) {
  const known = entries.filter(({ family }) => family.measures?.progress);
  if (!known.length) return null;
  const table = dataTable({
    caption:
      "Share of a test task that is done at the end of an episode, as the environment measures it; 1 if the task is " +
      "solved. The best prompt is chosen by success. 95 % intervals in brackets.",
    columns: ["family", "base", "best", "last", "gain"].map((name) => ({ name, node: name })),
    rows: known.map(({ name, family }) => {
      const { base, best, last, gain } = family.measures.progress;
      return [name, estimate(base), estimate(best), estimate(last), estimate(gain, signed)];
    }),
  });
  return element("div", {}, element("h3", {}, "Progress"), table);
}
