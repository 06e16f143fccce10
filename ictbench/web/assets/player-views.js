// Parts of the episode player: the screen, the decision, the end, and the list of decisions.

import { definitionList, element, paragraph } from "./dom.js";
import { count, counted } from "./format.js";
import { keyName, visible } from "./visible.js";

const MAX_SCREEN_COLUMNS = 100;

const ENDS = {
  solved: "Solved",
  died: "Died",
  env_ended: "Ended by the environment, not solved",
  step_limit: "Step limit reached, not solved",
  failed: "Model failure",
};

const FAILURES = {
  bad_request: "the request was rejected",
  context_overflow: "the episode exceeded the context window",
  refused: "the model refused to answer",
  empty: "the answer was empty",
  truncated: "the answer was cut off",
  timeout: "the model took too long",
};

function endText({ end, failure }) {
  return failure ? `${ENDS[end]}: ${FAILURES[failure] ?? failure}` : (ENDS[end] ?? end);
}

// Terminal screens keep their columns; text that is wider than any terminal wraps.
export function screenView(text) {
  const isProse = text.split("\n").some((line) => line.length > MAX_SCREEN_COLUMNS);
  return element(
    "pre",
    {
      class: isProse ? "screen prose" : "screen",
      tabindex: 0,
      role: "group",
      "aria-label": "Screen as the actor saw it",
    },
    text.replace(/\n+$/, ""),
  );
}

export function endView(episode) {
  const { steps, reward, progress, usage } = episode;
  const facts = [counted(steps.length, "decision"), `total reward ${rounded(reward)}`, `seed ${episode.seed}`];
  if (progress !== undefined) facts.push(`progress ${rounded(progress)}`);
  if (usage.calls)
    facts.push(
      `${count(usage.calls)} calls`,
      `${usage.unreported ? "\u2265 " : ""}${count(usage.input_tokens + usage.output_tokens)} tokens`,
    );
  return paragraph(
    "ending",
    element("strong", { class: episode.end === "solved" ? "good" : "bad" }, endText(episode)),
    ` \u00b7 ${facts.join(" \u00b7 ")}`,
  );
}

// Return what the learner's memory added to the prompt, null if it added nothing.
export function addedView({ added }) {
  if (!added) return null;
  return element(
    "details",
    { class: "added", open: true },
    element("summary", {}, "Added to the prompt from the memory"),
    element("div", { class: "prompt-text" }, added),
  );
}

export function decisionView(episode, frame) {
  const step = episode.steps[frame];
  if (!step) return paragraph("decision", `The episode has ended. ${endText(episode)}.`);
  const facts = [
    [
      "Thought",
      step.thought ? paragraph("thought", step.thought) : element("span", { class: "faint" }, "none recorded"),
    ],
    ["Proposed", step.proposed === null ? element("em", {}, "no action") : element("code", {}, step.proposed)],
    [
      "Executed",
      step.executed === null
        ? element("strong", { class: "bad" }, "invalid: nothing happened")
        : element("code", {}, step.executed),
    ],
    ["Reward", rounded(step.reward)],
    [
      "Further keys",
      step.keys.length
        ? step.keys.map((key) => element("kbd", {}, keyName(key)))
        : element("span", { class: "faint" }, "none"),
    ],
  ];
  return element("div", {}, definitionList("decision", facts), availableActions(step));
}

function availableActions({ actions, executed }) {
  return element(
    "details",
    { class: "available-actions" },
    element("summary", {}, counted(actions.length, "available action")),
    element(
      "p",
      {},
      actions.map((action) => [element("code", { class: action === executed ? "chosen" : null }, action), " "]),
    ),
  );
}

// Return one sentence, which screen readers announce at each step.
export function frameText(episode, frame) {
  const step = episode.steps[frame];
  const total = episode.steps.length;
  if (!step) return `End, after ${counted(total, "decision")}: ${endText(episode)}`;
  const proposed = step.proposed === null ? "no action" : visible(step.proposed);
  const result =
    step.executed === null ? `proposed ${proposed}, which is invalid` : `executed ${visible(step.executed)}`;
  return `Decision ${frame + 1} of ${total}: ${result}, reward ${rounded(step.reward)}`;
}

function rounded(value) {
  return String(Math.round(value * 1000) / 1000);
}

// Return the list of all decisions; a click goes to that frame.
export function decisionList(episode, goto) {
  const items = [...episode.steps, null].map((step, index) => {
    const name = step ? (step.proposed ?? "(no action)") : "end";
    const kind = step && step.executed === null ? "invalid" : null;
    return element("li", {}, element("button", { type: "button", class: kind, click: () => goto(index) }, name));
  });
  return element("ol", { class: "decisions", "aria-label": "All decisions" }, items);
}

export function markCurrent(list, frame) {
  [...list.children].forEach(({ firstChild: button }, index) => {
    if (index === frame) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
}
