// The reader's choices on a page (filters, order, units), kept in the page's address so that they can be shared.

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
