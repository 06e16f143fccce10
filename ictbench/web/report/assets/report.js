// Script of the report: its sections in order.

import { drawPage, pageDocument } from "../../assets/page.js";
import { behaviourSection } from "../../assets/run/behaviour.js";
import { costSection } from "../../assets/run/cost.js";
import { episodesSection } from "../../assets/run/episodes.js";
import { gainsSection } from "../../assets/run/gains.js";
import { learningCurvesSection } from "../../assets/run/learning-curves.js";
import { promptsSection } from "../../assets/run/prompts.js";
import { transfersSection } from "../../assets/run/transfers.js";
import { comparisonSection } from "./comparison.js";
import { overviewSection } from "./overview.js";

const report = pageDocument();
const episodes = episodesSection(report);

drawPage({
  title: [...new Set(report.runs.map((run) => run.suite.name))].join(" / "),
  subtitle: "ictbench report",
  sections: [
    ["Overview", overviewSection(report)],
    ["Differences", comparisonSection(report)],
    ["Transfers", transfersSection(report)],
    ["Curves", learningCurvesSection(report)],
    ["Gains", gainsSection(report)],
    ["Prompts", promptsSection(report, episodes.open)],
    ["Behaviour", behaviourSection(report)],
    ["Cost", costSection(report)],
    ["Episodes", episodes.node],
  ].filter(([, node]) => node),
});
