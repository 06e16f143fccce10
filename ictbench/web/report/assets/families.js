// Families and roles of several runs, brought together by name; suites are kept apart.

// Answers [{ key, label, role, note, isMean, entries: [{ run, position, family }] }], first come first.
export function familiesOf(report) {
  const found = new Map();
  report.runs.forEach((run, position) => {
    for (const family of run.families) {
      const key = `${run.suite.digest} ${family.name}`;
      const label = report.several_suites ? `${run.suite.name}: ${family.name}` : family.name;
      if (!found.has(key))
        found.set(key, { key, label, role: family.role, note: family.note, isMean: false, entries: [] });
      found.get(key).entries.push({ run, position, family });
    }
  });
  return [...found.values()];
}

// The same for the means over the families of each role. An entry has `family: { measures, curve }` too.
export function rolesOf(report) {
  const found = new Map();
  report.runs.forEach((run, position) => {
    for (const family of run.roles) {
      const key = `${run.suite.digest} ${family.role}`;
      const label = `Mean of ${family.role} families${report.several_suites ? `, ${run.suite.name}` : ""}`;
      if (!found.has(key)) found.set(key, { key, label, role: family.role, note: "", isMean: true, entries: [] });
      found.get(key).entries.push({ run, position, family });
    }
  });
  return [...found.values()];
}
