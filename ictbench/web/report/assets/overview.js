// Headline numbers of each run, and the remarks needed to interpret them.

import { seriesClass } from "../../assets/chart.js";
import { element, paragraph } from "../../assets/dom.js";
import { count, counted, duration, estimate, number, signed } from "../../assets/format.js";
import { headline, section } from "../../assets/page.js";
import { nothingFinished } from "../../assets/run/families.js";

export function overviewSection(report) {
  const several = report.runs.length > 1;
  return section(
    "overview",
    several ? "Runs side by side" : "Overview",
    several ? comparabilityNote(report) : null,
    element(
      "div",
      { class: "cards" },
      report.runs.map((run, position) => runCard(run, position, several)),
    ),
  );
}

function comparabilityNote({ differences, several_suites: severalSuites }) {
  if (!differences.length) {
    return paragraph(
      "note",
      "These runs can be compared: suite, families, sizes, loops, actor and versions are the same.",
    );
  }
  const warning = severalSuites
    ? "These runs are of different suites, so their numbers cannot be compared. Differences:"
    : "These runs differ in more than their reflectors, which may explain differences in their numbers:";
  return element(
    "div",
    { class: "note warn" },
    element("p", {}, warning),
    element(
      "ul",
      {},
      differences.map((line) => element("li", {}, line)),
    ),
  );
}

function runCard(run, position, several) {
  const means = run.roles.find(({ role }) => role === "held-out") ?? run.roles[0];
  return element(
    "article",
    { class: `card ${several ? seriesClass(position) : ""}`, "aria-label": `Run ${run.label}` },
    element("h3", {}, several ? element("span", { class: "swatch" }) : null, run.label),
    paragraph("faint", `reflector ${run.reflector.label}, actor ${run.actor.label} \u00b7 ${run.name}`),
    means ? headlineOf(means) : nothingFinished(),
    paragraph("faint", sizesText(run)),
    element(
      "ul",
      { class: "remarks" },
      [...run.remarks, ...run.troubles].map((line) => element("li", {}, line)),
    ),
  );
}

function headlineOf({ role, measures }) {
  const pairs = [
    ["best", number(measures.best.value)],
    ["gain", estimate(measures.gain, signed)],
    ["base", number(measures.base.value)],
    ["last", number(measures.last.value)],
  ];
  return headline(pairs, `success rate on test tasks, mean of ${role} families`);
}

function sizesText({ profile, sizes, families, seconds, started }) {
  const streamed = families.some(({ measures }) => measures?.mixed);
  const place = streamed ? "loop and family of a stream" : "loop";
  const repeated = sizes.repeats ? `, each played ${sizes.repeats} times` : "";
  const parts = [
    `profile ${profile}`,
    `${counted(sizes.loops, "loop")} of ${counted(sizes.turns, "turn")} with ${counted(sizes.batch_size, "task")}`,
    `${count(sizes.selection_size)} selection and ${count(sizes.test_size)} test tasks per ${place}${repeated}`,
    `started ${started.slice(0, 16).replace("T", " ")} UTC, took ${duration(seconds)}`,
  ];
  return parts.join(" \u00b7 ");
}
