// Explanations that appear while a control is hovered or has the focus. Screen readers read them as its description.

import { element, uniqueId } from "./dom.js";

const GAP = 6;
const MARGIN = 8;
const LEAVE_MILLISECONDS = 200;

let bubble = null;
let leaving = null;

// Return a control that can have the focus, with its explanation.
export function explained(control, text) {
  const id = uniqueId("meaning");
  control.setAttribute("aria-describedby", id);
  for (const event of ["mouseenter", "focus"]) control.addEventListener(event, () => show(control, text));
  for (const event of ["mouseleave", "blur"]) control.addEventListener(event, leave);
  control.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  return [control, element("span", { id, hidden: true }, text)];
}

function show(control, text) {
  hide();
  // Outside of the control's box, which may cut what is wider; readers of screens have the description instead.
  bubble = element("div", { class: "tooltip", "aria-hidden": "true", mouseenter: stay, mouseleave: leave }, text);
  document.body.append(bubble);
  const { left, top, bottom } = control.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = bubble;
  const isBelow = bottom + GAP + height <= innerHeight;
  bubble.style.left = `${Math.max(MARGIN, Math.min(left, document.documentElement.clientWidth - width - MARGIN))}px`;
  bubble.style.top = `${isBelow ? bottom + GAP : Math.max(MARGIN, top - GAP - height)}px`;
  addEventListener("scroll", hide, { capture: true, once: true });
}

function stay() {
  clearTimeout(leaving);
}

// The pointer may move onto the explanation.
function leave() {
  clearTimeout(leaving);
  leaving = setTimeout(hide, LEAVE_MILLISECONDS);
}

function hide() {
  clearTimeout(leaving);
  bubble?.remove();
  bubble = null;
}
