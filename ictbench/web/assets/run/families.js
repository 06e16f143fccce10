// Families and roles of several runs, matched by name within a suite.

import { paragraph } from "../dom.js";

// Return [{ label, role, note, isMean, entries: [{ run, position, name, family }] }] in order of appearance. The `name`
// of an entry is its row heading: the label, and the run if the report has several.
export function familiesOf(report) {
  return grouped(
    report,
    (run) => run.families,
    ({ name, role, note }, suite) => ({ label: suite ? `${suite}: ${name}` : name, role, note, isMean: false }),
  );
}

// Return the same for the mean over the families of each role, where `family` is { role, measures, curve }.
export function rolesOf(report) {
  return grouped(
    report,
    (run) => run.roles,
    ({ role }, suite) => ({
      label: `Mean of ${role} families${suite ? `, ${suite}` : ""}`,
      role,
      note: "",
      isMean: true,
    }),
  );
}

export function entriesOf(groups) {
  return groups.flatMap(({ entries }) => entries);
}

export function nothingFinished() {
  return paragraph("faint", "No loop has finished yet.");
}

function grouped(report, familiesIn, describe) {
  const groups = new Map();
  report.runs.forEach((run, position) => {
    for (const family of familiesIn(run)) {
      const group = describe(family, report.several_suites ? run.suite.name : null);
      const key = `${run.suite.digest} ${group.label}`;
      if (!groups.has(key)) groups.set(key, { ...group, entries: [] });
      const name = report.runs.length > 1 ? `${group.label}, ${run.label}` : group.label;
      groups.get(key).entries.push({ run, position, name, family });
    }
  });
  return [...groups.values()];
}
