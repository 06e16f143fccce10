// Prompts turn by turn: what was played, what the reflector made of it, what it changed, and what that was worth.

import { diffView } from "./diff-view.js";
import { element, picker, setOptions } from "./dom.js";
import { familiesOf } from "./families.js";
import { number, solvedCount, success, words } from "./format.js";
import { seriesClass } from "./frame.js";

// `openEpisode(run, key)` shows an episode; null where the page does not hold those that were reflected on.
export function promptsSection(report, openEpisode) {
  const families = familiesOf(report).filter(({ entries }) => entries.some(({ family }) => family.loops.length));
  const place = element("div", { class: "turns" });
  const family = picker(
    "Family",
    families.map(({ label }, index) => [index, label]),
    showLoops,
  );
  const loop = picker("Loop", [], show);

  function showLoops() {
    const chosen = families[family.select.value];
    const indices = new Set(chosen.entries.flatMap((entry) => entry.family.loops.map(({ index }) => index)));
    setOptions(
      loop.select,
      [...indices].sort((one, other) => one - other).map((index) => [index, String(index)]),
    );
    show();
  }

  function show() {
    const columns = families[family.select.value].entries
      .map(({ run, position, family: { loops } }) => ({
        run,
        position,
        loop: loops.find(({ index }) => index === Number(loop.select.value)),
      }))
      .filter((column) => column.loop);
    const turns = Math.max(...columns.map((column) => column.loop.prompts.length));
    const numbers = Array.from({ length: turns }, (_, index) => index);
    place.replaceChildren(...numbers.map((index) => turn(index, columns, report.runs.length > 1, openEpisode)));
  }

  if (families.length) showLoops();
  return element(
    "section",
    { id: "prompts", "aria-labelledby": "prompts-heading" },
    element("h2", { id: "prompts-heading" }, "Prompts, turn by turn"),
    families.length
      ? element("div", { class: "pickers" }, family.node, loop.node)
      : element("p", { class: "faint" }, "No loop is finished yet."),
    place,
  );
}

function turn(index, columns, several, openEpisode) {
  const there = columns.filter(({ loop }) => index < loop.prompts.length);
  return element(
    "div",
    { class: "turn" },
    element(
      "h3",
      {},
      `prompt[${index}]`,
      index === 0 ? element("span", { class: "tag" }, "the suite\u2019s own") : null,
    ),
    element(
      "div",
      { class: "columns" },
      there.map((column) => version(index, column, several, openEpisode)),
    ),
  );
}

function version(index, { run, position, loop }, several, openEpisode) {
  const prompt = loop.prompts[index];
  return element(
    "article",
    { class: `version ${several ? seriesClass(position) : ""}`, "aria-label": `prompt[${index}], ${run.label}` },
    several ? element("p", { class: "owner" }, element("span", { class: "swatch" }), run.label) : null,
    scores(index, loop),
    index > 0 ? batch(index, run, loop, openEpisode) : null,
    loop.audit[index - 1] ? audit(index, loop) : null,
    prompt.failure
      ? element(
          "p",
          { class: "bad" },
          `The reflector\u2019s answer was not used (${words(prompt.failure)}): the prompt stays as it was.`,
        )
      : null,
    prompt.analysis
      ? element(
          "blockquote",
          { class: "analysis" },
          element("h4", {}, "The reflector\u2019s analysis"),
          element("p", {}, prompt.analysis),
        )
      : null,
    index === 0 ? wholeText(prompt.text) : change(loop.prompts[index - 1].text, prompt.text),
  );
}

function scores(index, { selection, test, best, prompts }) {
  const facts = [`selection ${fraction(selection[index])}`];
  if (index in test) facts.push(`test ${fraction(test[index])}`);
  const tags = [index === best && "best", index === prompts.length - 1 && "last"].filter(Boolean);
  return element(
    "p",
    { class: "scores" },
    facts.join(" \u00b7 "),
    tags.map((tag) => element("span", { class: `tag ${tag}` }, tag)),
  );
}

function fraction(outcomes) {
  return `${number(success(outcomes))} (${solvedCount(outcomes)} of ${outcomes.length})`;
}

function batch(index, run, loop, openEpisode) {
  const { tasks, outcomes } = loop.batches[index - 1];
  const { digest } = loop.prompts[index - 1];
  const episodes = tasks.map((task, number_) => {
    const solved = outcomes[number_] === "1";
    const text = `${task}: ${solved ? "solved" : "not solved"}`;
    const kind = `outcome ${solved ? "good" : "bad"}`;
    if (!openEpisode) return element("span", { class: kind }, text);
    return element("button", { type: "button", class: kind, click: () => openEpisode(run, `${task}@${digest}`) }, text);
  });
  return element(
    "div",
    { class: "batch" },
    element("span", {}, `Turn ${index}, played under prompt[${index - 1}]:`),
    episodes,
  );
}

function audit(index, { audit: audits, batches }) {
  const { replayed, fresh } = audits[index - 1];
  const own = `its batch ${gained(batches[index - 1].outcomes, replayed)}`;
  const next = `the next batch ${gained(fresh, batches[index].outcomes)}`;
  return element("p", { class: "faint" }, `Audit, prompt[${index - 1}] to prompt[${index}]: ${own}, ${next} solved.`);
}

function gained(before, after) {
  return `${solvedCount(before)} \u2192 ${solvedCount(after)} of ${after.length}`;
}

function change(before, after) {
  if (before === after) return element("p", { class: "faint" }, "Unchanged.");
  return [diffView(before, after), element("details", {}, element("summary", {}, "Whole prompt"), wholeText(after))];
}

function wholeText(text) {
  return element("div", { class: "prompt-text" }, text);
}
