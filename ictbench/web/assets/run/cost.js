// Cost of the calls to language models, by role.

import { paragraph } from "../dom.js";
import { count, money } from "../format.js";
import { section } from "../page.js";
import { dataTable, stackedBar } from "../table.js";

const COUNTS = {
  calls: "calls",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
  cached_tokens: "cached",
  reasoning_tokens: "reasoning",
  cache_hits: "replies from cache",
};

// As in ictbench.results.formatting.
const TOKEN_BYTES = 4;

export function costSection(report) {
  const several = report.runs.length > 1;
  const calling = report.runs.filter(hasCalls);
  const silent = report.runs.filter((run) => !calling.includes(run));
  const rows = calling.flatMap((run) => [
    ...Object.entries(run.cost).map(([role, usage]) => usageRow(role, usage, run, several)),
    ...(run.added_bytes ? [memoryRow(run, several)] : []),
    usageRow("all roles", totalUsage(run.cost), run, several),
    usageRow("paid for, with repetitions", run.spent, run, several),
  ]);
  return section(
    "cost",
    "Cost",
    silent.map((run) => paragraph("note", `${several ? `${run.label}: no` : "No"} calls to language models.`)),
    rows.length
      ? dataTable({
          caption: "Calls, tokens and money by role",
          columns: ["role", "share of tokens", ...Object.values(COUNTS), "cost"],
          rows,
        })
      : null,
  );
}

function hasCalls(run) {
  const total = totalUsage(run.cost);
  return run.spent.calls || total.calls || total.cache_hits;
}

function usageRow(role, usage, run, several) {
  const total = tokens(totalUsage(run.cost));
  const share = total ? Math.min(1, tokens(usage) / total) : 0;
  return [
    several ? `${run.label}: ${role}` : role,
    stackedBar([{ share, kind: "tokens" }]),
    ...Object.keys(COUNTS).map((name) => atLeast(name.endsWith("_tokens") && usage.unreported, count(usage[name]))),
    usage.cost === null && usage.cost_at_least ? atLeast(true, money(usage.cost_at_least)) : money(usage.cost),
  ];
}

// What memories added to prompts: a part of the input tokens that no provider counts apart.
function memoryRow(run, several) {
  const estimate = Math.round(Object.values(run.added_bytes).reduce((sum, size) => sum + size, 0) / TOKEN_BYTES);
  const total = tokens(totalUsage(run.cost));
  const label = "of these, added by memories (estimate)";
  return [
    several ? `${run.label}: ${label}` : label,
    stackedBar([{ share: total ? Math.min(1, estimate / total) : 0, kind: "tokens" }]),
    ...Object.keys(COUNTS).map((name) => (name === "input_tokens" ? `\u2248 ${count(estimate)}` : "")),
    "",
  ];
}

// Mark a number as a lower bound, where a provider did not report the rest.
function atLeast(isBound, text) {
  return isBound ? `\u2265 ${text}` : text;
}

function tokens(usage) {
  return usage.input_tokens + usage.output_tokens;
}

function totalUsage(cost) {
  const usages = Object.values(cost);
  const sums = Object.keys(COUNTS).map((name) => [name, usages.reduce((sum, usage) => sum + usage[name], 0)]);
  const isKnown = usages.every((usage) => usage.cost !== null);
  const least = usages.reduce((sum, usage) => sum + (usage.cost ?? usage.cost_at_least ?? 0), 0);
  const unreported = usages.reduce((sum, usage) => sum + (usage.unreported ?? 0), 0);
  return { ...Object.fromEntries(sums), unreported, cost: isKnown ? least : null, cost_at_least: least };
}
