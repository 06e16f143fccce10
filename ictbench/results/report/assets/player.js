// Plays one recorded episode back, decision by decision.

import { element, svgElement, uniqueId } from "./dom.js";
import { decisionView, describeFrame, endView, screenView } from "./player-views.js";

const SECONDS_A_STEP = 0.4;

// Answers { node, show }. `onstep` is told the number of the frame that the reader went to; frame n is decision n + 1,
// and the last frame is what the last decision led to.
export function player(episode, { title, onstep = () => {} }) {
  const last = episode.steps.length;
  let frame = 0;
  let timer = null;

  const screen = element("div", { class: "screen-place" });
  const decision = element("div", { class: "decision-place" });
  const status = element("p", { class: "status", role: "status" });
  const slider = element("input", {
    type: "range", min: 0, max: last, value: 0, "aria-label": "Decision", input: () => goto(Number(slider.value)),
  });
  const play = element("button", { type: "button", click: togglePlay }, "Play");
  const moves = element("ol", { class: "moves", "aria-label": "All decisions" }, [...episode.steps, null].map(moveItem));
  const buttons = {
    first: button("First", "M3 3v10M13 3 6 8l7 5z", () => goto(0)),
    back: button("Back", "M12 3 5 8l7 5z", () => goto(frame - 1)),
    forward: button("Forward", "M4 3l7 5-7 5z", () => goto(frame + 1)),
    last: button("End", "M13 3v10M3 3l7 5-7 5z", () => goto(last)),
  };
  const headingId = uniqueId("player");
  const node = element(
    "section",
    { class: "player", tabindex: 0, "aria-labelledby": headingId, keydown: onKey },
    element("h3", { id: headingId }, title),
    endView(episode),
    element("div", { class: "transport" }, buttons.first, buttons.back, buttons.forward, buttons.last, play, slider),
    status,
    element("div", { class: "frame" }, screen, decision),
    moves,
  );

  function moveItem(step, index) {
    const name = step ? (step.proposed ?? "(no action)") : "end";
    const kind = step && step.executed === null ? "invalid" : "";
    return element("li", {}, element("button", { type: "button", class: kind, click: () => goto(index) }, name));
  }

  function onKey(event) {
    const target = { ArrowLeft: frame - 1, ArrowRight: frame + 1, Home: 0, End: last }[event.key];
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goto(target);
  }

  function goto(target) {
    stop();
    show(target);
    onstep(frame);
  }

  function show(target) {
    frame = Math.min(Math.max(target, 0), last);
    const step = episode.steps[frame];
    screen.replaceChildren(screenView(step ? step.observation : episode.last));
    decision.replaceChildren(decisionView(episode, frame));
    status.textContent = describeFrame(episode, frame);
    slider.value = frame;
    slider.setAttribute("aria-valuetext", status.textContent);
    for (const name of ["first", "back"]) setDisabled(buttons[name], frame === 0);
    for (const name of ["forward", "last"]) setDisabled(buttons[name], frame === last);
    [...moves.children].forEach((item, index) => {
      if (index === frame) item.firstChild.setAttribute("aria-current", "step");
      else item.firstChild.removeAttribute("aria-current");
    });
  }

  function togglePlay() {
    if (timer) {
      stop();
      return;
    }
    if (frame === last) show(0);
    play.textContent = "Pause";
    timer = setInterval(() => {
      if (frame === last || !node.isConnected) stop();
      else {
        show(frame + 1);
        onstep(frame);
      }
    }, 1000 * SECONDS_A_STEP);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  show(0);
  return { node, show };
}

function button(name, shape, click) {
  const icon = svgElement("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, svgElement("path", { d: shape }));
  return element("button", { type: "button", "aria-label": name, title: name, click }, icon);
}

// Not `disabled`, which would take the focus from a button that was just pressed.
function setDisabled(node, disabled) {
  node.setAttribute("aria-disabled", String(disabled));
}
