// Playback controls: buttons and a slider that move through frames 0 … last, and automatic playback.

import { element, svgElement } from "./dom.js";

const FRAME_MILLISECONDS = 400;

// Return { node, show, stop }: `show(frame, text)` updates the controls to the current frame, `stop()` ends playback.
// `goto(frame)` is called when the reader moves to a frame.
export function transport(last, goto) {
  let current = 0;
  let timer = null;
  const slider = element("input", {
    type: "range",
    min: 0,
    max: last,
    value: 0,
    "aria-label": "Decision",
    input: () => move(Number(slider.value)),
  });
  const playButton = element("button", { type: "button", click: () => (timer ? stop() : play()) }, "Play");
  const backward = [
    iconButton("First", "M3 3v10M13 3 6 8l7 5z", () => move(0)),
    iconButton("Back", "M12 3 5 8l7 5z", () => move(current - 1)),
  ];
  const forward = [
    iconButton("Forward", "M4 3l7 5-7 5z", () => move(current + 1)),
    iconButton("End", "M13 3v10M3 3l7 5-7 5z", () => move(last)),
  ];
  const node = element("div", { class: "transport" }, backward, forward, playButton, slider);

  function move(frame) {
    stop();
    goto(frame);
  }

  function play() {
    if (current === last) goto(0);
    playButton.textContent = "Pause";
    timer = setInterval(() => {
      if (current === last || !node.isConnected) stop();
      else goto(current + 1);
    }, FRAME_MILLISECONDS);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    playButton.textContent = "Play";
  }

  function show(frame, text) {
    current = frame;
    slider.value = frame;
    slider.setAttribute("aria-valuetext", text);
    backward.forEach((button) => setDisabled(button, frame === 0));
    forward.forEach((button) => setDisabled(button, frame === last));
  }

  return { node, show, stop };
}

function iconButton(name, shape, click) {
  const icon = svgElement(
    "svg",
    { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" },
    svgElement("path", { d: shape }),
  );
  return element("button", { type: "button", "aria-label": name, title: name, click }, icon);
}

// Not the `disabled` attribute: it would take the focus from a button that was just pressed.
function setDisabled(button, disabled) {
  button.setAttribute("aria-disabled", String(disabled));
}
