// Replay of one recorded episode, decision by decision.

import { element, uniqueId } from "./dom.js";
import { addedView, decisionList, decisionView, endView, frameText, markCurrent, screenView } from "./player-views.js";
import { transport } from "./transport.js";

// Return { node, show }. Frame n shows decision n + 1; the last frame shows the screen after the last decision.
// `onstep` receives the frame that the reader moved to.
export function player(episode, { title, onstep = () => {} }) {
  const last = episode.steps.length;
  const heading = uniqueId("player");
  const screen = element("div", { class: "screen-place" });
  const decision = element("div", { class: "decision-place" });
  const status = element("p", { class: "status", role: "status" });
  const controls = transport(last, goto);
  const decisions = decisionList(episode, (frame) => interrupt(frame));
  const node = element(
    "section",
    { class: "player", tabindex: 0, "aria-labelledby": heading, keydown: onKey },
    element("h3", { id: heading }, title),
    endView(episode),
    addedView(episode),
    controls.node,
    status,
    element("div", { class: "frame" }, screen, decision),
    decisions,
  );
  let current = 0;

  function onKey(event) {
    const target = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: last }[event.key];
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    interrupt(target);
  }

  function interrupt(frame) {
    controls.stop();
    goto(frame);
  }

  function goto(frame) {
    show(frame);
    onstep(current);
  }

  function show(frame) {
    current = Math.min(Math.max(frame, 0), last);
    const step = episode.steps[current];
    screen.replaceChildren(screenView(step ? step.observation : episode.last));
    decision.replaceChildren(decisionView(episode, current));
    status.textContent = frameText(episode, current);
    controls.show(current, status.textContent);
    markCurrent(decisions, current);
  }

  show(0);
  return { node, show };
}
