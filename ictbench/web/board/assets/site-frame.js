// The frame of every page: where one is, the way between its sections, light or dark.

import { element } from "./dom.js";
import { themeButton } from "./theme.js";

// `sections` are [name, node] pairs; `trail` leads back, as [text, address] pairs.
export function drawPage({ title, subtitle, trail, sections }) {
  const links = sections.map(([name, node]) => element("li", {}, element("a", { href: `#${node.id}` }, name)));
  document
    .getElementById("top")
    .append(
      element(
        "div",
        { class: "title" },
        trail.map(([text, href]) => element("a", { href, class: "back" }, text)),
        element("h1", {}, title),
        subtitle ? element("p", {}, subtitle) : null,
      ),
      element("nav", { "aria-label": "Sections" }, element("ul", {}, links)),
      themeButton(),
    );
  document.getElementById("content").replaceChildren(...sections.map(([, node]) => node));
  // What the address points at was not there when the page was opened.
  if (location.hash.length > 1) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

export function section(id, heading, ...children) {
  return element(
    "section",
    { id, "aria-labelledby": `${id}-heading` },
    element("h2", { id: `${id}-heading` }, heading),
    ...children,
  );
}

// A page elsewhere: only by HTTPS, told nothing of where the reader came from.
export function outsideLink(address) {
  if (!/^https:\/\//.test(address)) return element("span", {}, address);
  return element("a", { href: address, rel: "noopener noreferrer nofollow" }, address);
}
