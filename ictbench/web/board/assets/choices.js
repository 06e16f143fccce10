// What the reader chose, kept in the page's address: it can be sent to somebody, and outlives a reload.

// What was chosen, if it is a name of this table; addresses may say anything.
export function nameIn(table, name) {
  return Object.hasOwn(table, name) ? name : Object.keys(table)[0];
}

// `defaults` are texts by name. Answers { chosen, set }: `set(changes)` changes some, then calls `onchange`.
export function choices(defaults, onchange) {
  const query = new URLSearchParams(location.search);
  const stated = Object.keys(defaults).filter((name) => query.has(name));
  const chosen = { ...defaults, ...Object.fromEntries(stated.map((name) => [name, query.get(name)])) };
  function set(changes) {
    Object.assign(chosen, changes);
    const kept = new URLSearchParams(Object.entries(chosen).filter(([name, value]) => value !== defaults[name]));
    const search = kept.size ? `?${kept}` : "";
    history.replaceState(null, "", location.pathname + search + location.hash);
    onchange(chosen);
  }
  return { chosen, set };
}
