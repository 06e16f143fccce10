// Every episode of a report: what it was played for, and where in the page it is packed.

import { loadEpisode, locator } from "./chunks.js";
import { playedGroups } from "./played.js";

// `onlyHere` leaves out what is not in the page, where that is most of it.
export function libraryOf(report, { onlyHere = false } = {}) {
  const runs = report.runs.filter((run) => run.families.some(({ loops }) => loops.length));
  const places = new Map(report.runs.map((run) => [run, locator(run.episodes)]));
  const groups = new Map(
    runs.map((run) => [run, onlyHere ? groupsHere(playedGroups(run), places.get(run)) : playedGroups(run)]),
  );
  return {
    // Those with a finished loop.
    runs,
    // Whether an episode should say which run it is of.
    several: report.runs.length > 1,
    groups: (run) => groups.get(run),
    // Its position in the run's index, undefined where it was left out.
    place: (run, key) => places.get(run)(key),
    load: (run, key) => load(report, run, places.get(run)(key), key),
    sameTask: (run, key) => sameTask(runs, groups, places, run, key),
  };
}

function groupsHere(groups, place) {
  return groups
    .map((group) => ({ ...group, episodes: group.episodes.filter(({ key }) => place(key) !== undefined) }))
    .filter(({ episodes }) => episodes.length);
}

async function load(report, run, place, key) {
  if (place === undefined) throw new Error(`${key} was left out of this page`);
  const number = report.runs.indexOf(run);
  return loadEpisode(place, run.episodes.chunk_size, (chunk) => `chunk-${number}-${chunk}`);
}

// Other episodes of a task, of the same suite, each once: [{ run, key, name }].
function sameTask(runs, groups, places, run, key) {
  const task = taskOf(key);
  const found = new Map();
  for (const other of runs.filter((each) => each.suite.digest === run.suite.digest)) {
    for (const { name, episodes } of groups.get(other)) {
      for (const episode of episodes.filter((each) => each.task === task)) {
        const id = `${runs.indexOf(other)} ${episode.key}`;
        const isItself = other === run && episode.key === key;
        const isHere = places.get(other)(episode.key) !== undefined;
        if (isHere && !isItself && !found.has(id)) found.set(id, { run: other, key: episode.key, name });
      }
    }
  }
  return [...found.values()];
}

function taskOf(key) {
  return key.slice(0, key.lastIndexOf("@"));
}
