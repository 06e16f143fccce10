// Reliability of runs that play each test task several times: pass^k and sampling noise, as a table.

import { element } from "../dom.js";
import { estimate, MISSING, percent, range } from "../format.js";
import { dataTable } from "../table.js";

const PROMPTS = ["base", "best", "last"];

// Return null if every task is played once.
export function reliabilityTable(entries) {
  const repeated = entries.filter(({ family }) => family.measures?.reliability);
  if (!repeated.length) return null;
  const most = Math.max(...repeated.map(({ family }) => family.measures.reliability.base.pass_k.length));
  const table = dataTable({
    caption:
      "pass^k: probability that k episodes of a task are all solved, with a 95 % interval if there are at least 3 " +
      "loops. Noise: share of the variance of episodes that lies between repeats of a task under one prompt.",
    columns: ["family", "prompt", ...range(most).map((index) => `pass^${index + 1}`), "noise"],
    rows: repeated.flatMap(({ name, family }) =>
      PROMPTS.map((prompt) => [name, prompt, ...cells(family.measures.reliability[prompt], most)]),
    ),
  });
  return element("div", {}, element("h3", {}, "Reliability"), table);
}

function cells({ pass_k, noise }, most) {
  return [...range(most).map((index) => (index < pass_k.length ? estimate(pass_k[index]) : MISSING)), percent(noise)];
}
