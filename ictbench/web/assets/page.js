// The frame of every page: its data, header, navigation between sections, and theme button.

import { element, paragraph } from "./dom.js";
import { term } from "./terms.js";
import { themeButton } from "./theme.js";

// Return the JSON document that the page was written with.
export function pageDocument() {
  return JSON.parse(document.getElementById("document").textContent);
}

// `sections` are [name, node] pairs; `trail` links to parent pages, as [text, address] pairs.
export function drawPage({ title, subtitle = "", trail = [], sections }) {
  document.getElementById("top").append(
    element(
      "div",
      { class: "title" },
      trail.map(([text, href]) => element("a", { href, class: "back" }, text)),
      element("h1", {}, title),
      subtitle ? element("p", {}, subtitle) : null,
    ),
    themeButton(),
    navigation(sections),
  );
  document.getElementById("content").replaceChildren(...sections.map(([, node]) => node));
  scrollToAddress();
}

// On a small screen the list is folded, so that the header can stay in view.
function navigation(sections) {
  const links = sections.map(([name, node]) => element("li", {}, element("a", { href: `#${node.id}`, click: fold }, name)));
  const list = element("ul", {}, links);
  const button = element("button", { type: "button", class: "unfold", "aria-expanded": "false", click: toggle }, "Sections");
  const nav = element("nav", { "aria-label": "Sections", keydown: ({ key }) => key === "Escape" && fold() }, button, list);

  function setOpen(isOpen) {
    button.setAttribute("aria-expanded", String(isOpen));
    nav.classList.toggle("open", isOpen);
  }
  function fold() {
    setOpen(false);
  }
  function toggle() {
    setOpen(!nav.classList.contains("open"));
  }
  return nav;
}

// Scroll to the section that the address names: the browser could not, as the section did not exist yet.
export function scrollToAddress() {
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

// Return the main numbers of a run or entry: [name, value] pairs, the first of which is shown larger.
export function headline(pairs, caption) {
  const cells = pairs.map(([name, value]) => element("div", {}, element("dt", {}, term(name)), element("dd", {}, value)));
  return [element("dl", { class: "headline" }, cells), paragraph("faint", caption)];
}

export function errorNote(text) {
  return element("p", { class: "note warn", role: "alert" }, text);
}
