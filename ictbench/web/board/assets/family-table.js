// One measure, family by family.

import { nameIn } from "./choices.js";
import { element, picker } from "./dom.js";
import { entryLink } from "./entry-words.js";
import { number, signed } from "./format.js";
import { section } from "./site-frame.js";
import { dataTable } from "./table.js";

const MEASURES = { best: number, gain: signed, last: number, base: number };
const DARKEST = 5;
const SEEN = "\u2020";

export function familySection(board, chosen, set) {
  const measure = picker("Measure", Object.keys(MEASURES).map((name) => [name, name]), (value) => set({ measure: value }));
  const place = element("div", { class: "heat" });

  function update({ entries }) {
    const name = nameIn(MEASURES, chosen.measure);
    measure.select.value = name;
    const families = board.families.filter((family) => entries.some((entry) => family.name in entry.families));
    place.replaceChildren(
      dataTable({
        caption: `${name} by family`,
        columns: ["entry", ...families.map(heading)],
        rows: entries.map((entry) => [
          entryLink(entry, `entries/${entry.slug}.html`),
          ...families.map((family) => cell(entry.families[family.name], name)),
        ]),
        hideCaption: true,
      }),
      ...notes(families, entries),
    );
  }

  const node = section(
    "families",
    "By family",
    element("p", { class: "lead" }, "Held-out families make the headline; a reflector may be trained on the others."),
    element("div", { class: "pickers" }, measure.node),
    place,
  );
  return { node, update };
}

function heading({ name, role }) {
  return element("span", {}, name, element("span", { class: "role" }, role));
}

function cell(family, name) {
  const found = family?.[name];
  if (!found) return number(null);
  const shade = Math.ceil(Math.min(1, Math.max(0, found.value)) * DARKEST);
  return element("span", { class: `heat-${shade}` }, MEASURES[name](found.value), family.seen ? SEEN : "");
}

function notes(families, entries) {
  const lines = families.filter(({ note }) => note).map(({ name, note }) => `${name}: ${note}.`);
  const seen = entries.some((entry) => Object.values(entry.families).some((family) => family.seen));
  if (seen) lines.unshift(`${SEEN} the reflector was trained on this family.`);
  return lines.map((line) => element("p", { class: "faint" }, line));
}
