// A text to copy, with a button that copies it.

import { element } from "./dom.js";
import { visible } from "./visible.js";

export function copyable(text, label) {
  const content = element("pre", { class: "copyable", tabindex: 0, "aria-label": label }, text);
  const status = element("span", { class: "faint", role: "status" });
  const button = element("button", { type: "button", click: copy, "aria-label": `Copy: ${label}` }, "Copy");

  async function copy() {
    try {
      await navigator.clipboard.writeText(visible(text));
      status.textContent = "Copied.";
    } catch {
      // A browser may deny the clipboard; the reader copies what is selected.
      getSelection().selectAllChildren(content);
      status.textContent = "Selected: press Ctrl+C.";
    }
  }

  return element("div", { class: "to-copy" }, content, element("p", {}, button, " ", status));
}
