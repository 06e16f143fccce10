// Section that compares the learning curves of a few entries, one chart per family.

import { legend, seriesClass } from "../../assets/chart.js";
import { loadChunk } from "../../assets/chunks.js";
import { element, paragraph } from "../../assets/dom.js";
import { count } from "../../assets/format.js";
import { learningCurve } from "../../assets/learning-curve.js";
import { errorNote, section } from "../../assets/page.js";

const MAX_ENTRIES = 6;
const DEFAULT_ENTRIES = 3;
const MAX_LISTED = 50;

// Entries of one chunk of curves, in the order of the track: see `CURVES_SIZE` in board_chunks.py.
const CHUNK_SIZE = 50;

export function learningCurvesSection({ state, update }) {
  const checkboxes = element("fieldset", { class: "checkboxes" });
  const note = paragraph("faint");
  const content = element("div", {});
  let shown = "";

  function show({ track, all, entries }) {
    const requested = state.curves
      ? state.curves.split(",")
      : entries.slice(0, DEFAULT_ENTRIES).map(({ slug }) => slug);
    const selected = all.filter(({ slug }) => requested.includes(slug)).slice(0, MAX_ENTRIES);
    drawCheckboxes(entries, selected);
    const selection = `${track.key} ${selected.map(({ slug }) => slug)}`;
    if (selection === shown) return;
    shown = selection;
    loadCurves(track, selected).then(
      (curves) => selection === shown && content.replaceChildren(...charts(selected, curves)),
      (error) => content.replaceChildren(errorNote(`Cannot decompress the curves: ${error.message}`)),
    );
  }

  function drawCheckboxes(entries, selected) {
    const focused = document.activeElement?.closest?.(".checkboxes") ? document.activeElement.value : null;
    const slugs = selected.map(({ slug }) => slug);
    const others = entries.filter(({ slug }) => !slugs.includes(slug));
    const listed = [...selected, ...others.slice(0, MAX_LISTED)].sort(byName);
    note.textContent =
      others.length > MAX_LISTED
        ? `${listed.length} of ${count(others.length + selected.length)} entries are listed: those at the top of the ` +
          "ranking. The search above the ranking finds the others."
        : "";
    checkboxes.replaceChildren(
      element("legend", {}, `Entries, at most ${MAX_ENTRIES}`),
      ...listed.map((entry) => checkbox(entry, slugs)),
    );
    checkboxes.querySelector(`input[value="${CSS.escape(focused ?? "")}"]`)?.focus();
  }

  function checkbox(entry, slugs) {
    const checked = slugs.includes(entry.slug);
    const others = slugs.filter((slug) => slug !== entry.slug);
    const input = element("input", {
      type: "checkbox",
      value: entry.slug,
      checked,
      disabled: !checked && slugs.length >= MAX_ENTRIES,
      change: () => update({ curves: (checked ? others : [...slugs, entry.slug]).join(",") }),
    });
    const series = checked ? seriesClass(slugs.indexOf(entry.slug)) : "";
    return element("label", { class: series }, input, element("span", {}, entry.name));
  }

  const node = section(
    "curves",
    "Learning curves",
    paragraph("lead", "Success rate of each prompt on selection tasks, with its 95 % interval."),
    checkboxes,
    note,
    content,
  );
  return { node, show };
}

// Return the curves of the selected entries by slug. Only their chunks are decompressed.
async function loadCurves({ key, entries }, selected) {
  const numbers = selected.map(({ slug }) => Math.floor(entries.indexOf(slug) / CHUNK_SIZE));
  const chunks = await Promise.all([...new Set(numbers)].map((number) => loadChunk(`curves-${key}-${number}`)));
  return Object.assign({}, ...chunks);
}

function charts(selected, curves) {
  const families = [...new Set(selected.flatMap(({ slug }) => Object.keys(curves[slug])))];
  const panels = families.map((family) => {
    const series = selected
      .map((entry, position) => ({ name: entry.name, position, points: curves[entry.slug][family] }))
      .filter(({ points }) => points);
    return element(
      "article",
      { class: "panel", "aria-label": family },
      element("h3", {}, family),
      learningCurve({ title: `Learning curves, ${family}`, series }),
    );
  });
  const names = legend(
    selected.map(({ name }) => name),
    "Entries",
  );
  return [names ?? "", element("div", { class: "panels" }, panels)];
}

function byName(left, right) {
  return left.name < right.name ? -1 : 1;
}
