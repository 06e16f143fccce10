// Section that shows one measure by family.

import { loadChunk } from "../../assets/chunks.js";
import { element, paragraph } from "../../assets/dom.js";
import { MISSING, number, signed } from "../../assets/format.js";
import { errorNote } from "../../assets/page.js";
import { dataTable, heatCell } from "../../assets/table.js";
import { entryLink } from "./entry-format.js";
import { choiceSection } from "./view-state.js";

const MEASURES = { best: number, gain: signed, last: number, base: number };
const TRAINED_MARK = "\u2020";

export function familiesSection(board, choices) {
  const lead = "Headline numbers are means over held-out families. Reflectors may be trained on meta-train families.";
  const options = { id: "families", heading: "By family", lead, label: "Measure", choices: MEASURES, key: "measure" };
  const part = choiceSection(options, choices, ({ entries }, measure) => familyViews(board, entries, measure));
  let shown = null;

  function show(view) {
    shown = view;
    loadChunk(`families-${view.track.key}`).then(
      (families) => {
        const entries = view.entries.map((entry) => ({ ...entry, families: families[entry.slug] }));
        if (view === shown) part.show({ ...view, entries });
      },
      (error) => part.node.append(errorNote(`Cannot decompress the families: ${error.message}`)),
    );
  }

  return { node: part.node, show };
}

function familyViews(board, entries, measure) {
  const families = board.families.filter((family) => entries.some((entry) => family.name in entry.families));
  const table = dataTable({
    caption: `${measure} by family`,
    columns: ["entry", ...families.map((family) => ({ name: family.name, node: familyHead(family) }))],
    rows: entries.map((entry) => [
      entryLink(entry, `entries/${entry.slug}.html`),
      ...families.map((family) => measureCell(entry.families[family.name], measure)),
    ]),
    hideCaption: true,
  });
  return [element("div", { class: "heat" }, table), ...notes(families, entries)];
}

function familyHead({ name, role }) {
  return element("span", {}, name, element("span", { class: "role" }, role));
}

function measureCell(family, measure) {
  const estimate = family?.[measure];
  if (!estimate) return MISSING;
  return heatCell(estimate.value, MEASURES[measure](estimate.value), family.seen ? TRAINED_MARK : "");
}

function notes(families, entries) {
  const lines = families.filter(({ note }) => note).map(({ name, note }) => `${name}: ${note}.`);
  const isAnySeen = entries.some((entry) => Object.values(entry.families).some((family) => family.seen));
  if (isAnySeen) lines.unshift(`${TRAINED_MARK} the reflector or the actor was trained on this family.`);
  return lines.map((line) => paragraph("faint", line));
}
