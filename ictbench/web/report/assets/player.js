// Plays one recorded episode back, decision by decision.

import { element, uniqueId } from "./dom.js";
import { decisionView, describeFrame, endView, markMove, movesView, screenView } from "./player-views.js";
import { transport } from "./transport.js";

// Answers { node, show }. Frame n is decision n + 1, and the last frame is what the last decision led to. `onstep` is
// told the number of the frame that the reader went to.
export function player(episode, { title, onstep = () => {} }) {
  const last = episode.steps.length;
  const heading = uniqueId("player");
  const screen = element("div", { class: "screen-place" });
  const decision = element("div", { class: "decision-place" });
  const status = element("p", { class: "status", role: "status" });
  const controls = transport(last, goto);
  const moves = movesView(episode, (frame) => interrupt(frame));
  const node = element(
    "section",
    { class: "player", tabindex: 0, "aria-labelledby": heading, keydown: onKey },
    element("h3", { id: heading }, title),
    endView(episode),
    controls.node,
    status,
    element("div", { class: "frame" }, screen, decision),
    moves,
  );
  let shown = 0;

  function onKey(event) {
    const target = { ArrowLeft: shown - 1, ArrowRight: shown + 1, Home: 0, End: last }[event.key];
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
    onstep(shown);
  }

  function show(frame) {
    shown = Math.min(Math.max(frame, 0), last);
    const step = episode.steps[shown];
    screen.replaceChildren(screenView(step ? step.observation : episode.last));
    decision.replaceChildren(decisionView(episode, shown));
    status.textContent = describeFrame(episode, shown);
    controls.show(shown, status.textContent);
    markMove(moves, shown);
  }

  show(0);
  return { node, show };
}
