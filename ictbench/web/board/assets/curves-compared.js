// Learning curves of a few entries in one picture a family.

import { loadChunk } from "./chunks.js";
import { curveChart } from "./curve.js";
import { element } from "./dom.js";
import { seriesClass } from "./frame.js";
import { section } from "./site-frame.js";
import { legend } from "./success.js";

const MOST = 6;
const AT_FIRST = 3;

export function curvesSection(chosen, set) {
  const boxes = element("fieldset", { class: "boxes" });
  const place = element("div", {});
  let current = "";

  function update({ track, all, entries }) {
    const asked = chosen.curves ? chosen.curves.split(",") : entries.slice(0, AT_FIRST).map(({ slug }) => slug);
    const picked = all.filter(({ slug }) => asked.includes(slug)).slice(0, MOST);
    drawBoxes(entries, picked);
    const wanted = `${track.key} ${picked.map(({ slug }) => slug)}`;
    if (wanted === current) return;
    current = wanted;
    loadChunk(`curves-${track.key}`).then(
      (curves) => wanted === current && place.replaceChildren(...panels(picked, curves)),
      (error) => place.replaceChildren(element("p", { class: "note warn", role: "alert" }, `Curves cannot be unpacked: ${error.message}`)),
    );
  }

  function drawBoxes(entries, picked) {
    const focused = document.activeElement?.closest?.(".boxes") ? document.activeElement.value : null;
    const slugs = picked.map(({ slug }) => slug);
    const shown = [...picked, ...entries.filter(({ slug }) => !slugs.includes(slug))].sort(byName);
    boxes.replaceChildren(
      element("legend", {}, `Entries, at most ${MOST}`),
      ...shown.map((entry) => box(entry, slugs)),
    );
    boxes.querySelector(`input[value="${CSS.escape(focused ?? "")}"]`)?.focus();
  }

  function box(entry, slugs) {
    const checked = slugs.includes(entry.slug);
    const input = element("input", {
      type: "checkbox",
      value: entry.slug,
      checked,
      disabled: !checked && slugs.length >= MOST,
      change: () => set({ curves: (checked ? slugs.filter((slug) => slug !== entry.slug) : [...slugs, entry.slug]).join(",") }),
    });
    const series = checked ? seriesClass(slugs.indexOf(entry.slug)) : "";
    return element("label", { class: series }, input, element("span", {}, entry.name));
  }

  const node = section(
    "curves",
    "Learning curves",
    element("p", { class: "lead" }, "Success of each prompt on selection tasks, with its 95 % interval."),
    boxes,
    place,
  );
  return { node, update };
}

function panels(picked, curves) {
  const names = [...new Set(picked.flatMap(({ slug }) => Object.keys(curves[slug])))];
  const charts = names.map((name) => {
    const series = picked
      .map((entry, position) => ({ name: entry.name, position, points: curves[entry.slug][name] }))
      .filter(({ points }) => points);
    return element(
      "article",
      { class: "panel", "aria-label": name },
      element("h3", {}, name),
      curveChart({ title: `Learning curves, ${name}`, series }),
    );
  });
  const labels = legend(picked.map(({ name }) => ({ label: name })));
  return [...(labels ? [labels] : []), element("div", { class: "panels" }, charts)];
}

function byName(one, other) {
  return one.name < other.name ? -1 : 1;
}
