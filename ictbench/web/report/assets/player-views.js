// The parts of a frame: the screen as the actor saw it, what it decided, how the episode ended.

import { element } from "./dom.js";
import { count, counted } from "./format.js";
import { keyName, visible } from "./visible.js";

const WIDEST_SCREEN = 100;

const ENDS = {
  solved: "Solved",
  died: "Died",
  env_ended: "Ended by the environment, unsolved",
  step_limit: "All decisions used up, unsolved",
  failed: "Failed by the model",
};

const FAILURES = {
  bad_request: "its request was rejected",
  context_overflow: "the episode became too long for it",
  refused: "it refused to answer",
  empty: "it answered nothing",
  truncated: "its answer did not end",
  timeout: "it took too long",
};

export function endName({ end, failure }) {
  return failure ? `${ENDS[end]}: ${FAILURES[failure] ?? failure}` : (ENDS[end] ?? end);
}

// Terminal screens keep their columns; prose that is wider than any terminal wraps.
export function screenView(text) {
  const prose = text.split("\n").some((line) => line.length > WIDEST_SCREEN);
  return element(
    "pre",
    {
      class: prose ? "screen prose" : "screen",
      tabindex: 0,
      role: "group",
      "aria-label": "Screen as the actor saw it",
    },
    text.replace(/\n+$/, ""),
  );
}

export function endView(episode) {
  const { steps, reward, usage } = episode;
  const facts = [counted(steps.length, "decision"), `total reward ${short(reward)}`, `seed ${episode.seed}`];
  if (usage.calls)
    facts.push(`${count(usage.calls)} calls`, `${count(usage.input_tokens + usage.output_tokens)} tokens`);
  return element(
    "p",
    { class: "ending" },
    element("strong", { class: episode.end === "solved" ? "good" : "bad" }, endName(episode)),
    ` \u00b7 ${facts.join(" \u00b7 ")}`,
  );
}

export function decisionView(episode, frame) {
  const step = episode.steps[frame];
  if (!step) return element("p", { class: "decision" }, `The episode is over. ${endName(episode)}.`);
  const facts = [
    [
      "Thought",
      step.thought
        ? element("p", { class: "thought" }, step.thought)
        : element("span", { class: "faint" }, "none recorded"),
    ],
    ["Proposed", step.proposed === null ? element("em", {}, "no action") : element("code", {}, step.proposed)],
    [
      "Executed",
      step.executed === null
        ? element("strong", { class: "bad" }, "invalid: nothing happened")
        : element("code", {}, step.executed),
    ],
    ["Reward", short(step.reward)],
    [
      "Further keys",
      step.keys.length
        ? step.keys.map((key) => element("kbd", {}, keyName(key)))
        : element("span", { class: "faint" }, "none"),
    ],
  ];
  const list = element(
    "dl",
    { class: "decision" },
    facts.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
  const offered = element(
    "details",
    { class: "offered" },
    element("summary", {}, counted(step.actions.length, "available action")),
    element(
      "p",
      {},
      step.actions.map((action) => [
        element("code", { class: action === step.executed ? "chosen" : null }, action),
        " ",
      ]),
    ),
  );
  return element("div", {}, list, offered);
}

// One sentence, which is read out as the reader steps.
export function describeFrame(episode, frame) {
  const step = episode.steps[frame];
  const total = episode.steps.length;
  if (!step) return `End, after ${counted(total, "decision")}: ${endName(episode)}`;
  const proposed = step.proposed === null ? "no action" : visible(step.proposed);
  const done = step.executed === null ? `proposed ${proposed}, which is invalid` : `executed ${visible(step.executed)}`;
  return `Decision ${frame + 1} of ${total}: ${done}, reward ${short(step.reward)}`;
}

function short(value) {
  return String(Math.round(value * 1000) / 1000);
}

// All decisions in a row, to go to any of them.
export function movesView(episode, goto) {
  const items = [...episode.steps, null].map((step, index) => {
    const name = step ? (step.proposed ?? "(no action)") : "end";
    const kind = step && step.executed === null ? "invalid" : null;
    return element("li", {}, element("button", { type: "button", class: kind, click: () => goto(index) }, name));
  });
  return element("ol", { class: "moves", "aria-label": "All decisions" }, items);
}

export function markMove(moves, frame) {
  [...moves.children].forEach(({ firstChild: button }, index) => {
    if (index === frame) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
}
