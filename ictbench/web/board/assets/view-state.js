// The reader's choices on a page (filters, order, units), kept in the page's address so that they can be shared.

import { element, paragraph, picker } from "../../assets/dom.js";
import { section } from "../../assets/page.js";

// Return `name` if it is a key of `table`, else the first key: an address may contain anything.
export function keyOrFirst(table, name) {
  return Object.hasOwn(table, name) ? name : Object.keys(table)[0];
}

// Return { state, update }. `defaults` are texts by name; `update(changes)` changes some and calls `onchange`.
export function viewState(defaults, onchange) {
  const query = new URLSearchParams(location.search);
  const present = Object.keys(defaults).filter((name) => query.has(name));
  const state = { ...defaults, ...Object.fromEntries(present.map((name) => [name, query.get(name)])) };
  function update(changes) {
    Object.assign(state, changes);
    const changed = new URLSearchParams(Object.entries(state).filter(([name, value]) => value !== defaults[name]));
    const search = changed.size ? `?${changed}` : "";
    history.replaceState(null, "", location.pathname + search + location.hash);
    onchange();
  }
  return { state, update };
}

// Return { node, show }: a section whose content depends on one choice of the reader. `choices` are keyed by their texts,
// `key` is the name of the choice in the state, and `draw(view, choice)` returns the content.
export function choiceSection({ id, heading, lead, label, choices, key }, { state, update }, draw) {
  const { node: list, select } = picker(label, Object.keys(choices), (choice) => update({ [key]: choice }));
  const content = element("div", {});
  const node = section(id, heading, paragraph("lead", lead), element("div", { class: "pickers" }, list), content);
  function show(view) {
    select.value = keyOrFirst(choices, state[key]);
    content.replaceChildren(...draw(view, select.value));
  }
  return { node, show };
}
