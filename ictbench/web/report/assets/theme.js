// Light or dark: as the system says, until the reader says otherwise.

import { element } from "./dom.js";

const KEPT_AS = "ictbench-theme";

export function themeButton() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const button = element("button", { type: "button", class: "theme", click: toggle }, "Dark");
  function show() {
    button.setAttribute("aria-pressed", String(isDark()));
  }
  function toggle() {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    show();
  }
  const remembered = recall();
  if (remembered) root.dataset.theme = remembered;
  system.addEventListener("change", show);
  show();
  return button;
}

// A page opened from disk may be denied storage: then the choice lasts as long as the page.
function remember(theme) {
  try {
    localStorage.setItem(KEPT_AS, theme);
  } catch {
    // nothing to do
  }
}

function recall() {
  try {
    const theme = localStorage.getItem(KEPT_AS);
    return theme === "light" || theme === "dark" ? theme : null;
  } catch {
    return null;
  }
}
