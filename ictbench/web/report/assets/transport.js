// Buttons and a slider to move through something that has frames 0 … last, and to let it run.

import { element, svgElement } from "./dom.js";

const MILLISECONDS_A_FRAME = 400;

// `goto(frame)` is told where the reader wants to be. Answers { node, show, stop }: `show(frame, text)` tells what is
// shown, `stop()` ends running.
export function transport(last, goto) {
  let shown = 0;
  let timer = null;
  const slider = element("input", {
    type: "range",
    min: 0,
    max: last,
    value: 0,
    "aria-label": "Decision",
    input: () => move(Number(slider.value)),
  });
  const play = element("button", { type: "button", click: () => (timer ? stop() : run()) }, "Play");
  const backward = [
    button("First", "M3 3v10M13 3 6 8l7 5z", () => move(0)),
    button("Back", "M12 3 5 8l7 5z", () => move(shown - 1)),
  ];
  const forward = [
    button("Forward", "M4 3l7 5-7 5z", () => move(shown + 1)),
    button("End", "M13 3v10M3 3l7 5-7 5z", () => move(last)),
  ];
  const node = element("div", { class: "transport" }, backward, forward, play, slider);

  function move(frame) {
    stop();
    goto(frame);
  }

  function run() {
    if (shown === last) goto(0);
    play.textContent = "Pause";
    timer = setInterval(() => {
      if (shown === last || !node.isConnected) stop();
      else goto(shown + 1);
    }, MILLISECONDS_A_FRAME);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  function show(frame, text) {
    shown = frame;
    slider.value = frame;
    slider.setAttribute("aria-valuetext", text);
    backward.forEach((each) => setDisabled(each, frame === 0));
    forward.forEach((each) => setDisabled(each, frame === last));
  }

  return { node, show, stop };
}

function button(name, shape, click) {
  const icon = svgElement(
    "svg",
    { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" },
    svgElement("path", { d: shape }),
  );
  return element("button", { type: "button", "aria-label": name, title: name, click }, icon);
}

// Not `disabled`, which would take the focus from a button that was just pressed.
function setDisabled(node, disabled) {
  node.setAttribute("aria-disabled", String(disabled));
}
