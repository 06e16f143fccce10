// Script of an entry's page: its description at once, the sections of its run when their data are decompressed.

import { loadChunk } from "../../assets/chunks.js";
import { element, paragraph } from "../../assets/dom.js";
import { drawPage, errorNote, pageDocument, scrollToAddress, section } from "../../assets/page.js";
import { behaviourSection } from "../../assets/run/behaviour.js";
import { costSection } from "../../assets/run/cost.js";
import { episodesSection } from "../../assets/run/episodes.js";
import { gainsSection } from "../../assets/run/gains.js";
import { learningCurvesSection } from "../../assets/run/learning-curves.js";
import { promptsSection, promptText } from "../../assets/run/prompts.js";
import { transfersSection } from "../../assets/run/transfers.js";
import { aboutSection } from "./about.js";
import { badgesSection, comparisonSection, evidenceSection, overviewSection } from "./entry-sections.js";
import { logView } from "./log.js";

const page = pageDocument();

// Sections of the run by the id of their node.
const RUN_SECTIONS = {
  success: ["Curves", learningCurvesSection],
  gains: ["Gains", gainsSection],
  prompts: ["Prompts", (report) => promptsSection(report, null)],
  episodes: ["Trajectories", (report) => episodesSection(report, { onlyStored: true }).node],
  behaviour: ["Behaviour", behaviourSection],
  cost: ["Cost", costSection],
};

const placeholders = Object.entries(RUN_SECTIONS).map(([id, [name]]) => [
  name,
  section(id, name, paragraph("faint", "Loading \u2026")),
]);

function instructionSection({ instruction, entry }) {
  const missing = `No instruction: ${entry.reflector} is not a language model, or its instruction is not published.`;
  return section(
    "instruction",
    "Instruction of the reflector, as stated by its submitter",
    instruction ? promptText(instruction) : paragraph("faint", missing),
  );
}

drawPage({
  title: page.entry.name,
  subtitle: page.suite,
  trail: [["All entries", "../index.html"]],
  sections: [
    ["Overview", overviewSection(page)],
    ["Badges", badgesSection(page)],
    ["Evidence", evidenceSection(page)],
    ["Comparison", comparisonSection(page)],
    ["Transfers", transfersSection(page, ({ name, slug }) => element("a", { href: `${slug}.html#transfers` }, name))],
    ...placeholders,
    ["Instruction", instructionSection(page)],
    [
      "Log",
      section(
        "log",
        "Log of this entry",
        logView(page.log, () => null),
      ),
    ],
    ["About", aboutSection(page.about)],
  ].filter(([, node]) => node),
});

loadChunk("report").then(
  (report) => {
    for (const [id, [, draw]] of Object.entries(RUN_SECTIONS)) document.getElementById(id).replaceWith(draw(report));
    scrollToAddress();
  },
  (error) =>
    document.getElementById("success").replaceChildren(errorNote(`Cannot decompress the run: ${error.message}`)),
);
