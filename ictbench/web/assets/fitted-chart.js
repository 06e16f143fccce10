// Chart that is drawn for the width of its place, so that its texts keep their size on small screens.

import { element } from "./dom.js";

// `draw(width)` returns a chart; it is called for widths from `least` to `most` pixels.
export function fittedChart(draw, { least, most }) {
  const place = element("div", { class: "fitted" }, draw(most));
  let drawn = most;
  new ResizeObserver(() => {
    const width = Math.round(Math.max(least, Math.min(most, place.clientWidth)));
    if (!place.clientWidth || width === drawn) return;
    drawn = width;
    requestAnimationFrame(() => place.replaceChildren(draw(width)));
  }).observe(place);
  return place;
}
