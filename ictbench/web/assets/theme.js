// Light or dark theme: the system's setting until the reader chooses one. The button names the theme that it selects.

import { element } from "./dom.js";

const STORAGE_KEY = "ictbench-theme";

export function themeButton() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const other = () => (isDark() ? "light" : "dark");
  const button = element("button", { type: "button", class: "theme", click: toggle });
  function show() {
    button.textContent = isDark() ? "Light theme" : "Dark theme";
  }
  function toggle() {
    root.dataset.theme = other();
    save(root.dataset.theme);
    show();
  }
  const saved = load();
  if (saved) root.dataset.theme = saved;
  system.addEventListener("change", show);
  show();
  return button;
}

// A browser may deny storage to a page opened from disk; the choice then lasts until the page is closed.
function save(theme) {
  try {
    localStorage.setItem(STORAGE_KEY, theme);
  } catch {
    // The theme still applies to this page.
  }
}

function load() {
  try {
    const theme = localStorage.getItem(STORAGE_KEY);
    return theme === "light" || theme === "dark" ? theme : null;
  } catch {
    return null;
  }
}
