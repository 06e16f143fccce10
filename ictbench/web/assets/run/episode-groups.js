// Episodes of a run, grouped by the purpose that they were played for.

// Return [{ family, loop, name, episodes: [{ task, key, solved, repeat }] }]. The order within a loop is experience,
// test, selection, audit, online. `repeat` is the number of an episode of a task that is played several times, from 1, or null.
export function episodeGroups(run) {
  return run.families.flatMap((family) => family.loops.flatMap((loop) => loopGroups(family.name, loop)));
}

function loopGroups(family, loop) {
  const last = loop.prompts.length - 1;
  const roles = (index) =>
    [index === 0 && "base", index === loop.best && "best", index === last && "last"].filter(Boolean).join(", ");
  const group = (name, index, tasks, outcomes, digests = null) => ({
    family,
    loop: loop.index,
    name,
    episodes: playedEpisodes(tasks, outcomes, digests ?? tasks.map(() => loop.prompts[index].digest)),
  });
  const name = (pool, index) => `${pool}, prompt[${index}]${roles(index) ? ` (${roles(index)})` : ""}`;
  return [
    ...loop.batches
      .map(({ tasks, outcomes, prompts }, index) =>
        group(`experience, turn ${index + 1}`, index, tasks, outcomes, prompts),
      )
      .filter(({ episodes }) => episodes.length),
    ...Object.entries(loop.test).map(([index, outcomes]) =>
      group(name("test", Number(index)), Number(index), loop.test_tasks, outcomes),
    ),
    ...loop.selection.map((outcomes, index) => group(name("selection", index), index, loop.selection_tasks, outcomes)),
    ...loop.audit.flatMap(({ replayed, fresh }, index) => [
      group(
        `audit of turn ${index + 1}, same batch, prompt[${index + 1}]`,
        index + 1,
        loop.batches[index].tasks,
        replayed,
      ),
      group(`audit of turn ${index + 1}, next batch, prompt[${index}]`, index, loop.batches[index + 1].tasks, fresh),
    ]),
    ...onlineGroups(loop, group),
  ];
}

// Experience under prompt[0] and under the best prompt; empty without online measures.
function onlineGroups(loop, group) {
  const under = { 0: loop.online?.base ?? [], [loop.best]: loop.online?.best ?? [] };
  return Object.entries(under).flatMap(([index, turns]) =>
    turns.map((outcomes, turn) =>
      group(`online, turn ${turn + 1}, prompt[${index}]`, Number(index), loop.batches[turn].tasks, outcomes),
    ),
  );
}

// The outcomes of a task stand together, in the order of its replicates. `digests` are those of the prompts, by task.
function playedEpisodes(tasks, outcomes, digests) {
  const repeats = outcomes.length / tasks.length;
  return [...outcomes].map((outcome, position) => {
    const index = Math.floor(position / repeats);
    const task = tasks[index];
    const replicate = position % repeats;
    return {
      task,
      key: `${task}@${digests[index]}${replicate ? `.${replicate}` : ""}`,
      solved: outcome === "1",
      repeat: repeats > 1 ? replicate + 1 : null,
    };
  });
}
