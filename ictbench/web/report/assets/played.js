// What a run played, group by group: which tasks, under which prompt, for what.

// Answers [{ family, loop, name, episodes: [{ task, key, solved }] }], most telling groups first within a loop.
export function playedGroups(run) {
  return run.families.flatMap((family) => family.loops.flatMap((loop) => loopGroups(family.name, loop)));
}

function loopGroups(family, loop) {
  const last = loop.prompts.length - 1;
  const role = (index) =>
    [index === 0 && "base", index === loop.best && "best", index === last && "last"].filter(Boolean).join(", ");
  const group = (name, index, tasks, outcomes) => ({
    family,
    loop: loop.index,
    name,
    episodes: tasks.map((task, number) => ({
      task,
      key: `${task}@${loop.prompts[index].digest}`,
      solved: outcomes[number] === "1",
    })),
  });
  const titled = (pool, index) => `${pool}, prompt[${index}]${role(index) ? ` (${role(index)})` : ""}`;
  return [
    ...loop.batches.map(({ tasks, outcomes }, index) => group(`experience, turn ${index + 1}`, index, tasks, outcomes)),
    ...Object.entries(loop.test).map(([index, outcomes]) =>
      group(titled("test", Number(index)), Number(index), loop.test_tasks, outcomes),
    ),
    ...loop.selection.map((outcomes, index) =>
      group(titled("selection", index), index, loop.selection_tasks, outcomes),
    ),
    ...loop.audit.flatMap(({ replayed, fresh }, index) => [
      group(`audit of turn ${index + 1}, own batch, prompt[${index + 1}]`, index + 1, loop.batches[index].tasks, replayed),
      group(`audit of turn ${index + 1}, next batch, prompt[${index}]`, index, loop.batches[index + 1].tasks, fresh),
    ]),
  ];
}
