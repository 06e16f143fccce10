// Candidates of an optimiser in one loop: where each came from, how it did, and how its text differs.

import { diffView } from "../diff-view.js";
import { element, paragraph } from "../dom.js";
import { dataTable } from "../table.js";

// Return null for a reflector that is no optimiser.
export function candidatesView({ run, loop }, several) {
  const { candidates } = loop;
  if (!candidates?.length) return null;
  const numbers = new Map(candidates.map(({ digest }, number) => [digest, number]));
  const scores = scoresOf(loop);
  const table = dataTable({
    caption:
      "Prompts that the optimiser tried, with their episodes among the experience tasks. Front: experience tasks for " +
      "which the prompt is on the Pareto front at the end.",
    columns: ["candidate", "first tried", "made from", "solved", "kept", "front", "prompt of the loop"],
    rows: candidates.map((candidate, number) => [
      name(number),
      candidate.turn ? `turn ${candidate.turn}` : "from the start",
      candidate.parents.map((parent) => name(numbers.get(parent))).join(", "),
      scoreText(scores.get(candidate.digest)),
      candidate.kept === null ? "no" : `turn ${candidate.kept}`,
      candidate.front.map((position) => `task ${position + 1}`).join(", "),
      promptsOf(candidate.digest, loop.prompts),
    ]),
  });
  return element(
    "div",
    { class: "turn" },
    element("h3", {}, several ? `Candidates of ${run.label}` : "Candidates"),
    table,
    candidates.map((candidate, number) => changeOf(candidate, number, candidates, numbers)),
  );
}

// Return the name of the candidate with a digest.
export function candidateName({ candidates }, digest) {
  return name(candidates.findIndex((candidate) => candidate.digest === digest));
}

function name(number) {
  return `candidate ${number}`;
}

// Return { played, solved } by digest of the prompt.
function scoresOf({ batches }) {
  const scores = new Map();
  for (const { prompts, outcomes } of batches) {
    for (const [position, digest] of (prompts ?? []).entries()) {
      const { played, solved } = scores.get(digest) ?? { played: 0, solved: 0 };
      scores.set(digest, { played: played + 1, solved: solved + Number(outcomes[position]) });
    }
  }
  return scores;
}

function scoreText(score) {
  return score ? `${score.solved} of ${score.played}` : "not played";
}

function promptsOf(digest, prompts) {
  return [...prompts.entries()].flatMap(([index, prompt]) => (prompt.digest === digest ? [`[${index}]`] : [])).join(" ");
}

// Return the difference to the first parent, folded.
function changeOf({ text, parents }, number, candidates, numbers) {
  const parent = candidates[numbers.get(parents[0])];
  if (!parent) return null;
  const heading = `${name(number)}, compared with ${name(numbers.get(parent.digest))}`;
  const change = text === parent.text ? paragraph("faint", "Unchanged.") : diffView(parent.text, text);
  return element("details", {}, element("summary", {}, heading), change);
}
