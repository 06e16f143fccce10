// Success while learning: the experience by turn, compared with prompts that stay the same, as a table.

import { element } from "../dom.js";
import { estimate, MISSING, range, signed } from "../format.js";
import { dataTable } from "../table.js";

// Return null for results that do not state it.
export function experienceTable(entries) {
  const measured = entries.filter(({ family }) => family.measures?.stream);
  if (!measured.length) return null;
  const turns = range(Math.max(...measured.map(({ family }) => family.measures.stream.length)));
  const compared = measured.some(({ family }) => family.measures.online);
  const table = dataTable({
    caption:
      "Success rate on the experience tasks of each turn, with a 95 % interval if there are at least 3 loops." +
      (compared
        ? " Gain: all turns, minus the same tasks under prompt[0]. Regret: the same tasks under the best prompt, minus " +
          "all turns; the best prompt was written from some of these tasks."
        : ""),
    columns: ["family", "prompt", ...turns.map((turn) => `turn ${turn + 1}`), ...(compared ? ["gain", "regret"] : [])],
    rows: measured.flatMap(({ name, family: { measures } }) => rowsOf(name, measures, turns, compared)),
  });
  return element("div", {}, element("h3", {}, "Success while learning"), table);
}

function rowsOf(name, { stream, online }, turns, compared) {
  const row = (prompt, rates, ...differences) => [
    name,
    prompt,
    ...turns.map((turn) => (turn < rates.length ? estimate(rates[turn]) : MISSING)),
    ...(compared ? differences : []),
  ];
  if (!online) return [row("of the turn", stream, MISSING, MISSING)];
  return [
    row("of the turn", stream, estimate(online.gain, signed), estimate(online.regret, signed)),
    row("prompt[0]", online.base, MISSING, MISSING),
    row("best", online.best, MISSING, MISSING),
  ];
}
