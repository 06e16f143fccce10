// All episodes of a report: their groups, and where in the page each is stored.

import { episodeLocator, loadEpisode } from "../chunks.js";
import { episodeGroups } from "./episode-groups.js";

// `onlyStored` omits episodes that are not in the page, for pages that hold only a few.
export function episodeLibrary(report, { onlyStored = false } = {}) {
  const runs = report.runs.filter((run) => run.families.some(({ loops }) => loops.length));
  const locators = new Map(report.runs.map((run) => [run, episodeLocator(run.episodes)]));
  const groups = new Map(
    runs.map((run) => [run, onlyStored ? storedGroups(episodeGroups(run), locators.get(run)) : episodeGroups(run)]),
  );
  return {
    // Runs with a finished loop.
    runs,
    // Whether the title of an episode names its run.
    several: report.runs.length > 1,
    groups: (run) => groups.get(run),
    // Position of an episode in the index of its run, undefined where the page does not hold it.
    position: (run, key) => locators.get(run)(key),
    load: (run, key) => load(report, run, locators.get(run)(key), key),
    sameTask: (run, key) => sameTask(runs, groups, locators, run, key),
  };
}

function storedGroups(groups, locate) {
  return groups
    .map((group) => ({ ...group, episodes: group.episodes.filter(({ key }) => locate(key) !== undefined) }))
    .filter(({ episodes }) => episodes.length);
}

async function load(report, run, position, key) {
  if (position === undefined) throw new Error(`${key} is not stored in this page`);
  const number = report.runs.indexOf(run);
  return loadEpisode(position, run.episodes.chunk_size, (chunk) => `chunk-${number}-${chunk}`);
}

// Return the other stored episodes of a task in the same suite, each once: [{ run, key, name }].
function sameTask(runs, groups, locators, run, key) {
  const task = taskOf(key);
  const matches = new Map();
  for (const other of runs.filter((each) => each.suite.digest === run.suite.digest)) {
    for (const { name, episodes } of groups.get(other)) {
      for (const episode of episodes.filter((each) => each.task === task)) {
        const id = `${runs.indexOf(other)} ${episode.key}`;
        const isSame = other === run && episode.key === key;
        const isStored = locators.get(other)(episode.key) !== undefined;
        if (isStored && !isSame && !matches.has(id)) matches.set(id, { run: other, key: episode.key, name });
      }
    }
  }
  return [...matches.values()];
}

function taskOf(key) {
  return key.slice(0, key.lastIndexOf("@"));
}
