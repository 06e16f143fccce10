// The report: its sections in order, and the way between them.

import { behaviourSection } from "./behaviour.js";
import { costSection } from "./cost.js";
import { element } from "./dom.js";
import { episodesSection } from "./episodes.js";
import { gainsSection } from "./gains.js";
import { overview } from "./overview.js";
import { promptsSection } from "./prompts.js";
import { successSection } from "./success.js";
import { themeButton } from "./theme.js";

const report = JSON.parse(document.getElementById("document").textContent);
const episodes = episodesSection(report);
const sections = [
  ["Overview", overview(report)],
  ["Curves", successSection(report)],
  ["Gains", gainsSection(report)],
  ["Prompts", promptsSection(report, episodes.open)],
  ["Behaviour", behaviourSection(report)],
  ["Cost", costSection(report)],
  ["Episodes", episodes.node],
];

const suites = [...new Set(report.runs.map((run) => run.suite.name))].join(" / ");
const links = sections.map(([name, section]) => element("li", {}, element("a", { href: `#${section.id}` }, name)));
document
  .getElementById("top")
  .append(
    element("div", { class: "title" }, element("h1", {}, suites), element("p", {}, "ictbench report")),
    element("nav", { "aria-label": "Sections" }, element("ul", {}, links)),
    themeButton(),
  );
document.getElementById("content").replaceChildren(...sections.map(([, section]) => section));
