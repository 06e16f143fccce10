// Prompts turn by turn: the episodes played, the reflector's analysis, the change, and the scores.

import { seriesClass } from "../chart.js";
import { diffView } from "../diff-view.js";
import { element, paragraph, picker, setOptions } from "../dom.js";
import { number, range, solvedCount, successRate, words } from "../format.js";
import { section } from "../page.js";
import { candidateName, candidatesView } from "./candidates.js";
import { familiesOf, nothingFinished } from "./families.js";
import { memoryView } from "./memory.js";

// `openEpisode(run, key)` shows an episode; null where the page does not hold the episodes of the batches.
export function promptsSection(report, openEpisode) {
  const families = familiesOf(report).filter(({ entries }) => entries.some(({ family }) => family.loops.length));
  const turns = element("div", { class: "turns" });
  const family = picker(
    "Family",
    families.map(({ label }, index) => [index, label]),
    showLoops,
  );
  const loop = picker("Loop", [], showTurns);

  const opened = mostImproved(families);

  function showLoops() {
    const { entries } = families[family.select.value];
    const indices = new Set(entries.flatMap((entry) => entry.family.loops.map(({ index }) => index)));
    setOptions(
      loop.select,
      [...indices].sort((left, right) => left - right),
    );
    showTurns();
  }

  function showTurns() {
    const columns = families[family.select.value].entries
      .map(({ run, position, family: { loops } }) => ({
        run,
        position,
        loop: loops.find(({ index }) => index === Number(loop.select.value)),
      }))
      .filter((column) => column.loop);
    const indices = range(Math.max(...columns.map((column) => column.loop.prompts.length)));
    turns.replaceChildren(
      ...columns.map((column) => candidatesView(column, report.runs.length > 1)).filter(Boolean),
      ...indices.map((index) => turnView(index, columns, report, openEpisode)),
    );
  }

  if (opened) {
    family.select.value = opened.family;
    showLoops();
    loop.select.value = opened.index;
    showTurns();
  }
  return section(
    "prompts",
    "Prompts, turn by turn",
    families.length ? element("div", { class: "pickers" }, family.node, loop.node) : nothingFinished(),
    turns,
  );
}

// Return { family, index } of the loop with the highest gain on test tasks, held-out families first; null without loops.
function mostImproved(families) {
  const loops = families.flatMap(({ role, entries }, position) =>
    entries.flatMap(({ family }) =>
      family.loops.map(({ index, best, test }) => ({
        family: position,
        index,
        isHeldOut: role === "held-out",
        gain: successRate(test[best]) - successRate(test[0]),
      })),
    ),
  );
  return loops.sort((left, right) => right.isHeldOut - left.isHeldOut || right.gain - left.gain)[0] ?? null;
}

function turnView(index, columns, report, openEpisode) {
  const longEnough = columns.filter(({ loop }) => index < loop.prompts.length);
  const tag = index === 0 ? element("span", { class: "tag" }, "the suite\u2019s own prompt") : null;
  return element(
    "div",
    { class: "turn" },
    element("h3", {}, `prompt[${index}]`, tag),
    element(
      "div",
      { class: "columns" },
      longEnough.map((column) => promptView(index, column, report, openEpisode)),
    ),
  );
}

function promptView(index, { run, position, loop }, report, openEpisode) {
  const several = report.runs.length > 1;
  const prompt = loop.prompts[index];
  return element(
    "article",
    { class: `prompt-version ${several ? seriesClass(position) : ""}`, "aria-label": `prompt[${index}], ${run.label}` },
    several ? paragraph("run-name", element("span", { class: "swatch" }), run.label) : null,
    scoresView(index, loop),
    index > 0 ? batchView(index, run, loop, openEpisode) : null,
    loop.audit[index - 1] ? auditView(index, loop) : null,
    prompt.failure
      ? paragraph("bad", `The reflector\u2019s answer was not used (${words(prompt.failure)}): prompt unchanged.`)
      : null,
    prompt.analysis
      ? element(
          "blockquote",
          { class: "analysis" },
          element("h4", {}, "The reflector\u2019s analysis"),
          element("p", {}, prompt.analysis),
        )
      : null,
    index === 0 ? promptText(prompt.text) : changeView(loop.prompts[index - 1].text, prompt.text),
    memoryView(report, run, loop, index),
  );
}

function scoresView(index, { selection, test, best, prompts }) {
  const facts = [`selection ${score(selection[index])}`];
  if (index in test) facts.push(`test ${score(test[index])}`);
  const tags = [index === best && "best", index === prompts.length - 1 && "last"].filter(Boolean);
  return paragraph(
    "scores",
    facts.join(" \u00b7 "),
    tags.map((tag) => element("span", { class: `tag ${tag}` }, tag)),
  );
}

function score(outcomes) {
  return `${number(successRate(outcomes))} (${solvedCount(outcomes)} of ${outcomes.length})`;
}

function batchView(index, run, loop, openEpisode) {
  const { tasks, outcomes, prompts: chosen } = loop.batches[index - 1];
  const { digest } = loop.prompts[index - 1];
  const episodes = tasks.map((task, position) => {
    const isSolved = outcomes[position] === "1";
    const under = chosen ? `, ${candidateName(loop, chosen[position])}` : "";
    const text = `${task}${under}: ${isSolved ? "solved" : "not solved"}`;
    const key = `${task}@${chosen ? chosen[position] : digest}`;
    const kind = `outcome ${isSolved ? "good" : "bad"}`;
    if (!openEpisode) return element("span", { class: kind }, text);
    return element("button", { type: "button", class: kind, click: () => openEpisode(run, key) }, text);
  });
  const how = loop.candidates ? "played by the optimiser" : `played under prompt[${index - 1}]`;
  return element("div", { class: "batch" }, element("span", {}, `Turn ${index}, ${how}:`), episodes);
}

function auditView(index, { audit, batches }) {
  const { replayed, fresh } = audit[index - 1];
  const sameBatch = solvedChange(batches[index - 1].outcomes, replayed);
  const nextBatch = solvedChange(fresh, batches[index].outcomes);
  const text =
    `Audit, solved under prompt[${index - 1}] \u2192 prompt[${index}]: ` +
    `batch of this turn ${sameBatch}, batch of the next turn ${nextBatch}.`;
  return paragraph("faint", text);
}

function solvedChange(before, after) {
  return `${solvedCount(before)} \u2192 ${solvedCount(after)} of ${after.length}`;
}

function changeView(before, after) {
  if (before === after) return paragraph("faint", "Unchanged.");
  return [diffView(before, after), element("details", {}, element("summary", {}, "Whole prompt"), promptText(after))];
}

export function promptText(text) {
  return element("div", { class: "prompt-text" }, text);
}
