// The headline of each run, and what a reader must know before believing it.

import { element } from "./dom.js";
import { count, counted, duration, estimate, number, signed } from "./format.js";
import { seriesClass } from "./frame.js";

export function overview(report) {
  const several = report.runs.length > 1;
  return element(
    "section",
    { id: "overview", "aria-labelledby": "overview-heading" },
    element("h2", { id: "overview-heading" }, several ? "Runs side by side" : "Overview"),
    several ? comparability(report) : null,
    element(
      "div",
      { class: "cards" },
      report.runs.map((run, position) => card(run, position, several)),
    ),
  );
}

function comparability({ differences, several_suites: severalSuites }) {
  if (!differences.length) {
    const told = "Same suite, families, sizes, loops, actor and versions: these runs can be compared.";
    return element("p", { class: "note" }, told);
  }
  const warning = severalSuites
    ? "These runs are of different suites: their numbers cannot be compared. They differ in:"
    : "These runs differ in more than their reflectors. What differs may explain what the numbers show:";
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

function card(run, position, several) {
  const headline = run.roles.find(({ role }) => role === "held-out") ?? run.roles[0];
  return element(
    "article",
    { class: `card ${several ? seriesClass(position) : ""}`, "aria-label": `Run ${run.label}` },
    element("h3", {}, several ? element("span", { class: "swatch" }) : null, run.label),
    element("p", { class: "faint" }, `reflector ${run.reflector.label}, actor ${run.actor.label} \u00b7 ${run.name}`),
    headline ? numbers(headline) : element("p", {}, "No loop is finished yet."),
    element("p", { class: "faint" }, sizes(run)),
    element(
      "ul",
      { class: "remarks" },
      [...run.remarks, ...run.troubles].map((line) => element("li", {}, line)),
    ),
  );
}

function numbers({ role, measures }) {
  const facts = [
    ["best", number(measures.best.value)],
    ["gain", estimate(measures.gain, signed)],
    ["base", number(measures.base.value)],
    ["last", number(measures.last.value)],
  ];
  return [
    element(
      "dl",
      { class: "headline" },
      facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
    ),
    element("p", { class: "faint" }, `success on test tasks, mean of ${role} families`),
  ];
}

function sizes({ profile, sizes: size, seconds, started }) {
  const parts = [
    `profile ${profile}`,
    `${counted(size.loops, "loop")} of ${counted(size.turns, "turn")} with ${counted(size.batch_size, "task")}`,
    `${count(size.selection_size)} selection and ${count(size.test_size)} test tasks a loop`,
    `started ${started.slice(0, 16).replace("T", " ")} UTC, took ${duration(seconds)}`,
  ];
  return parts.join(" \u00b7 ");
}
