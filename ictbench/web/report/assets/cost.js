// What the calls to language models cost, by role.

import { element } from "./dom.js";
import { count, money } from "./format.js";
import { dataTable } from "./table.js";

const COLUMNS = ["calls", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cache_hits"];

export function costSection(report) {
  const several = report.runs.length > 1;
  const called = report.runs.filter((run) => run.spent.calls || total(run.cost).calls || total(run.cost).cache_hits);
  const silent = report.runs.filter((run) => !called.includes(run));
  const rows = called.flatMap((run) => [
    ...Object.entries(run.cost).map(([role, usage]) => row(role, usage, run, several)),
    row("all roles", total(run.cost), run, several),
    row("paid for, repetitions included", run.spent, run, several),
  ]);
  return element(
    "section",
    { id: "cost", "aria-labelledby": "cost-heading" },
    element("h2", { id: "cost-heading" }, "Cost"),
    silent.map((run) =>
      element("p", { class: "note" }, `${several ? `${run.label}: no` : "No"} calls to language models.`),
    ),
    rows.length
      ? dataTable({
          caption: "Calls, tokens and money by role",
          columns: [
            "role",
            "share of tokens",
            "calls",
            "input tokens",
            "output tokens",
            "cached",
            "reasoning",
            "replies from cache",
            "cost",
          ],
          rows,
        })
      : null,
  );
}

function row(role, usage, run, several) {
  const all = total(run.cost);
  const share = tokens(all) ? tokens(usage) / tokens(all) : 0;
  const filled = element("span", {});
  filled.style.inlineSize = `${Math.min(100, 100 * share)}%`;
  const bar = element("span", { class: "share", "aria-hidden": "true" }, filled);
  return [
    several ? `${run.label}: ${role}` : role,
    bar,
    ...COLUMNS.map((name) => count(usage[name])),
    money(usage.cost),
  ];
}

function tokens(usage) {
  return usage.input_tokens + usage.output_tokens;
}

function total(cost) {
  const usages = Object.values(cost);
  const sums = COLUMNS.map((name) => [name, usages.reduce((sum, usage) => sum + usage[name], 0)]);
  const known = usages.every(({ cost: each }) => each !== null);
  return { ...Object.fromEntries(sums), cost: known ? usages.reduce((sum, usage) => sum + usage.cost, 0) : null };
}
