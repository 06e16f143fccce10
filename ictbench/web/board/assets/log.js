// Log of the board: what was added, refused, corrected and removed.

import { element, paragraph } from "../../assets/dom.js";
import { section } from "../../assets/page.js";
import { dataTable } from "../../assets/table.js";

const SHOWN_HASH_DIGITS = 16;

export function logSection({ log, log_head: lastHash, unlogged, entries }) {
  const slugs = new Set(entries.map(({ slug }) => slug));
  const lastLine = [" Hash of the last line: ", element("code", {}, lastHash.slice(0, SHOWN_HASH_DIGITS)), "."];
  return section(
    "log",
    "Log",
    paragraph(
      "lead",
      "Lines are only appended. Each line contains the hash of the line before it, which makes changes to earlier " +
        "lines detectable.",
      log.length ? lastLine : null,
    ),
    unlogged.length
      ? paragraph("note warn", `Not yet in the log: the present version of ${unlogged.join(", ")}. The maintainers add a line when they accept it.`)
      : null,
    logView(log, (slug) => (slugs.has(slug) ? `entries/${slug}.html` : null)),
  );
}

// `linkOf(slug)` returns the address of an entry's page, or null for an entry without a page.
export function logView(log, linkOf) {
  if (!log.length) return paragraph("faint", "The log is empty.");
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
          element("span", { class: "reason" }, reason),
        ];
      }),
      hideCaption: true,
    }),
  );
}
