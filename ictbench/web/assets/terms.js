// Explanations of the terms that head columns and numbers, in one line each.

import { definitionList, element } from "./dom.js";
import { explained } from "./tooltip.js";

const INTERVAL = "In brackets: 95 % interval. About 95 of 100 such intervals hold the value that very many loops would give.";

const TERMS = {
  rank:
    "Place among all entries of this track. A range such as 2\u20134 is a tie: the order within it may be chance, as p is " +
    "above 0.05 after correction for all pairs.",
  entry: "Name of the entry, its reflector, and who submitted it.",
  "base to best":
    "Line from 0 to 1. Hollow mark: success rate under the first prompt. Filled mark: under the best prompt, with its " +
    "95 % interval as a band.",
  base: `Success rate on test tasks under the suite\u2019s own prompt, prompt[0]. ${INTERVAL}`,
  best:
    "Success rate on test tasks under the best prompt: the one that solved most selection tasks, which are others than the " +
    `test tasks. ${INTERVAL}`,
  last: `Success rate on test tasks under the last prompt. ${INTERVAL}`,
  gain: `best \u2212 base, on the same test tasks. ${INTERVAL}`,
  "last gain": `last \u2212 base, on the same test tasks. ${INTERVAL}`,
  "learner\u2019s gain": `Gain of the best prompts for the actor with which they were learned. ${INTERVAL}`,
  "player\u2019s gain": `Gain of the same prompts for the other actor, over its own success under the first prompt. ${INTERVAL}`,
  "last gains": "Gains of the last prompts: for the actor with which they were learned, then for the other actor.",
  headroom: "1 \u2212 base: how far the success rate could rise.",
  "headroom gain": `gain \u00f7 (1 \u2212 base): the share of the possible improvement that was reached. ${INTERVAL}`,
  "over blind":
    "best minus best of a blind arm: the same reflector, which is shown no trajectory. It is what experience adds, as the " +
    "best of several wordings gains something by itself. The arm used is named with the number.",
  badges:
    "replayed: the board replayed the recorded actions and got the recorded outcomes. rerun: a maintainer ran the players " +
    "again and best was the same within a margin.",
  "trained on": "Families on which the reflector\u2019s weights were trained, as stated; and whether the weights are public.",
  tokens:
    "Input and output tokens of the whole run, all roles together, as reported; below, their price in US dollars. " +
    "Unknown if the provider did not report them, or if replies came from the response cache.",
  dollars: "Price of all tokens of the run.",
  cost: "Price in US dollars, where the prices are known.",
  division:
    "How the learner learns: reflectors rewrite the prompt once a turn, memory learners also keep a memory, optimisers search " +
    "over a whole loop. Each division has rankings of its own.",
  experience: "Episodes that the learner could learn from, mean per loop, with those that it played itself.",
  "Pareto front":
    "Whether no other ranked entry of any division gains at least as much with no more tokens and no more experience. An " +
    "entry whose tokens are unknown is not on it.",
  date: "Day on which the run was started (UTC), or on which the log line was written.",
  reason: "Why the board does not rank the entry, or why the log line was written.",
  actor: "Player of the tasks: a language model, or a program.",
  profile: "Named sizes of a run. standard: 10 turns, 10 loops, 50 test tasks; lite: 5 turns, 5 loops, 20 test tasks.",
  "AUC": `Mean success rate on selection tasks over all prompts: how early the agent learns. ${INTERVAL}`,
  "W\u2011AUC": `AUC that weighs later prompts more: \u03a3 i\u00b7success(i) \u00f7 \u03a3 i. ${INTERVAL}`,
  "negative transfer": "Share of loops in which the best prompt does worse than prompt[0] on test tasks.",
  "negative last transfer": "Share of loops in which the last prompt does worse than prompt[0] on test tasks.",
  "overfitting gap":
    "Gain on the batch that the reflector read, replayed, minus gain on the next batch, which it had not read. Above 0, " +
    "the prompt fits its own batch more than new tasks.",
  family: "Tasks of one kind. Reflectors may be trained on meta-train families, never on held-out ones.",
  prompt: "The prompt under which the tasks were played.",
  progress:
    "Mean share of a test task that is done at the end, under the best prompt, as the environment measures it; 1 if the task " +
    `is solved. It ranks nothing. ${INTERVAL}`,
  noise: "Share of the variance of outcomes that lies between repeats of the same task.",
  forgetting:
    "Success on a family of a stream before turns without a task of it, minus that after them, on the same test tasks. " +
    `Above 0, what was learned of it is lost while others are met. ${INTERVAL}`,
  "forward transfer":
    "Success on a family of a stream before its first task, minus that under prompt[0], on the same test tasks: what " +
    `others teach about it. ${INTERVAL}`,
  after: "Success rate on test tasks of the family under the prompt that its last turn of the stream produced.",
  regret: "The same tasks under the best prompt, minus all turns as they were played.",
  role: "What the calls were made for: playing experience, selection or test tasks, or reflecting.",
  calls: "Calls to language models.",
  "input tokens": "Tokens sent to the models.",
  "output tokens": "Tokens that the models wrote, with reasoning.",
  cached: "Input tokens that the provider had in its cache.",
  reasoning: "Output tokens spent on reasoning.",
  "replies from cache": "Calls that were answered from the local cache without asking the model.",
  "parse failures": "Replies that named no action in the required format.",
  p: "Probability of a difference at least this large if the entries were equal, corrected for the number of comparisons.",
  "p, corrected": "p after Holm\u2019s correction for all families and runs; for a mean over families, for all runs.",
  "wins / ties / losses": "Test tasks that only this run solved, that both or neither solved, and that only the other run solved.",
  "difference [95 %]": `Difference on the same tasks, with its 95 % interval.`,
  "this entry is": "Better or worse where p is at most 0.05, else a tie.",
  event: "added, attempted (and refused), corrected or removed.",
};

// Return a name with its explanation, or the bare name where there is none.
export function term(name, text = name) {
  if (!Object.hasOwn(TERMS, name)) return text;
  return explained(element("button", { type: "button", class: "term" }, text), TERMS[name]);
}

// Return the explanation of a name; null without one.
export function meaning(name) {
  return Object.hasOwn(TERMS, name) ? TERMS[name] : null;
}

// Return a folded list that explains the names, those without an explanation left out.
export function termList(names) {
  const known = names.filter((name) => meaning(name));
  return element(
    "details",
    { class: "terms" },
    element("summary", {}, "What the columns mean"),
    definitionList(
      "facts",
      known.map((name) => [name, meaning(name)]),
    ),
  );
}
