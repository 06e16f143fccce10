// What happened to the board.

import { element } from "./dom.js";
import { section } from "./site-frame.js";
import { dataTable } from "./table.js";

export function logSection({ log, log_head: head, unlogged, entries }) {
  const slugs = new Set(entries.map(({ slug }) => slug));
  return section(
    "log",
    "Log",
    element(
      "p",
      { class: "lead" },
      "Lines are only added. Each holds the hash of the one before it, so a change to the past is seen.",
      log.length ? [" The last one is ", element("code", {}, head.slice(0, 16)), "."] : null,
    ),
    unlogged.length
      ? element("p", { class: "note warn" }, `The log does not say how these came to be as they are: ${unlogged.join(", ")}.`)
      : null,
    log.length ? logTable(log, (slug) => (slugs.has(slug) ? `entries/${slug}.html` : null)) : element("p", { class: "faint" }, "No line yet."),
  );
}

// `linkOf(slug)` answers where an entry is, null where it is gone.
export function logTable(log, linkOf) {
  return element(
    "div",
    { class: "log" },
    dataTable({
      caption: "Log, newest first",
      columns: ["date", "event", "entry", "by", "reason"],
      rows: [...log].reverse().map(({ date, event, slug, by, reason }) => {
        const href = linkOf(slug);
        return [
          date.slice(0, 10),
          element("span", { class: `event ${event}` }, event),
          href ? element("a", { href }, slug) : slug,
          by,
          element("span", { class: "why" }, reason),
        ];
      }),
      hideCaption: true,
    }),
  );
}
