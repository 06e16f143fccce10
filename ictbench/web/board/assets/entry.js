// An entry's page: what is known of it at once, its run as soon as that is unpacked.

import { behaviourSection } from "./behaviour.js";
import { logTable } from "./board-log.js";
import { loadChunk } from "./chunks.js";
import { costSection } from "./cost.js";
import { element } from "./dom.js";
import { badgesSection, othersSection, overviewSection } from "./entry-parts.js";
import { episodesSection } from "./episodes.js";
import { gainsSection } from "./gains.js";
import { promptsSection } from "./prompts.js";
import { drawPage, section } from "./site-frame.js";
import { successSection } from "./success.js";

const page = JSON.parse(document.getElementById("document").textContent);

// Sections of the run, by the id that their node has.
const OF_RUN = {
  success: ["Curves", successSection],
  gains: ["Gains", gainsSection],
  prompts: ["Prompts", (report) => promptsSection(report, null)],
  episodes: ["Trajectories", (report) => episodesSection(report, { onlyHere: true }).node],
  behaviour: ["Behaviour", behaviourSection],
  cost: ["Cost", costSection],
};

const waiting = Object.entries(OF_RUN).map(([id, [name]]) => [
  name,
  section(id, name, element("p", { class: "faint" }, "Unpacking \u2026")),
]);

function instructionSection() {
  const { instruction, entry } = page;
  return section(
    "instruction",
    "What the reflector is told, as its submitter says",
    instruction
      ? element("div", { class: "prompt-text" }, instruction)
      : element("p", { class: "faint" }, `${entry.reflector} has no instruction: it is no language model, or keeps it to itself.`),
  );
}

function ownLog() {
  const told = page.log.length ? logTable(page.log, () => null) : element("p", { class: "faint" }, "No line yet.");
  return section("log", "Log of this entry", told);
}

drawPage({
  title: page.entry.name,
  subtitle: page.suite,
  trail: [["All entries", "../index.html"]],
  sections: [
    ["Overview", overviewSection(page)],
    ["Badges", badgesSection(page)],
    ["Against others", othersSection(page)],
    ...waiting,
    ["Instruction", instructionSection()],
    ["Log", ownLog()],
  ],
});

loadChunk("report").then(
  (report) => {
    for (const [id, [, make]] of Object.entries(OF_RUN)) document.getElementById(id).replaceWith(make(report));
    if (location.hash.length > 1) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  },
  (error) => {
    const told = `The run cannot be unpacked: ${error.message}`;
    document.getElementById("success").replaceChildren(element("p", { class: "note warn", role: "alert" }, told));
  },
);
