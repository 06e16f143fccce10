// Pick an episode and play it back, alone or beside another one of the same task.

import { loadEpisode, locator } from "./chunks.js";
import { element, picker, setOptions } from "./dom.js";
import { playedGroups } from "./played.js";
import { player } from "./player.js";

const FILTERS = [["all", "all"], ["solved", "solved"], ["unsolved", "not solved"], ["invalid", "with invalid actions"]];

// Answers { node, open }: `open(run, key)` shows an episode.
export function episodesSection(report) {
  const runs = report.runs.filter((run) => run.families.some(({ loops }) => loops.length));
  const places = new Map(report.runs.map((run) => [run, locator(run.episodes)]));
  const groups = new Map(runs.map((run) => [run, playedGroups(run)]));
  const list = element("ul", { class: "tasks", "aria-label": "Episodes" });
  const stage = element("div", { class: "stage" });
  const run = picker("Run", runs.map(({ label }, index) => [index, label]), showFamilies);
  const family = picker("Family", [], showLoops);
  const loop = picker("Loop", [], showPlayed);
  const played = picker("Played as", [], showTasks);
  const filter = picker("Show", FILTERS, showTasks);
  const beside = picker("Beside it", [], () => show(current));
  let current = null;

  const chosenRun = () => runs[run.select.value];
  const chosenGroups = () => groups.get(chosenRun()).filter((group) => group.family === family.select.value && String(group.loop) === loop.select.value);

  function showFamilies() {
    setOptions(family.select, unique(groups.get(chosenRun()).map((group) => group.family)).map((name) => [name, name]));
    showLoops();
  }

  function showLoops() {
    const own = groups.get(chosenRun()).filter((group) => group.family === family.select.value);
    setOptions(loop.select, unique(own.map((group) => group.loop)).map((index) => [index, String(index)]));
    showPlayed();
  }

  function showPlayed() {
    setOptions(played.select, chosenGroups().map(({ name }) => [name, name]));
    showTasks();
  }

  function showTasks() {
    const group = chosenGroups().find(({ name }) => name === played.select.value);
    const items = (group?.episodes ?? []).filter(passes).map(taskItem);
    list.replaceChildren(...(items.length ? items : [element("li", { class: "faint" }, "None.")]));
  }

  function passes({ solved, key }) {
    const { invalid } = chosenRun().episodes;
    const place = places.get(chosenRun())(key);
    return { all: true, solved, unsolved: !solved, invalid: place !== undefined && invalid[place] > 0 }[filter.select.value];
  }

  function taskItem({ task, key, solved }) {
    const { ends, decisions } = chosenRun().episodes;
    const place = places.get(chosenRun())(key);
    const told = place === undefined ? "left out of this page" : `${ends[place].replaceAll("_", " ")}, ${decisions[place]} decisions`;
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", class: `outcome ${solved ? "good" : "bad"}`, disabled: place === undefined, "data-key": key, click: () => open(chosenRun(), key) },
        element("strong", {}, task),
        element("span", {}, told),
      ),
    );
  }

  function open(of, key) {
    current = { run: of, key };
    setOptions(beside.select, [["", "nothing"], ...others(current).map(({ run: other, key: its, name }) => [`${report.runs.indexOf(other)} ${its}`, name])]);
    show(current).then(() => {
      stage.scrollIntoView({ block: "start" });
      stage.querySelector(".player")?.focus({ preventScroll: true });
    });
  }

  // The same task under other prompts of this run, and under all prompts of the other runs of this suite.
  function others({ run: of, key }) {
    const task = key.slice(0, key.lastIndexOf("@"));
    const found = new Map();
    for (const other of runs.filter((each) => each.suite.digest === of.suite.digest)) {
      for (const group of groups.get(other)) {
        for (const episode of group.episodes) {
          const same = episode.task === task && !(other === of && episode.key === key) && places.get(other)(episode.key) !== undefined;
          const id = `${report.runs.indexOf(other)} ${episode.key}`;
          if (same && !found.has(id)) found.set(id, { run: other, key: episode.key, name: `${runs.length > 1 ? `${other.label}: ` : ""}${group.name}` });
        }
      }
    }
    return [...found.values()];
  }

  async function show(chosen) {
    const [position, ...rest] = beside.select.value.split(" ");
    const second = beside.select.value ? [{ run: report.runs[position], key: rest.join(" ") }] : [];
    try {
      const players = await Promise.all([chosen, ...second].map(makePlayer));
      const link = (frame) => players.forEach(({ each }) => each.show(frame));
      players.forEach((made) => (made.link = link));
      const choice = beside.select.length > 1 ? element("div", { class: "pickers" }, beside.node) : "";
      stage.replaceChildren(choice, element("div", { class: "players" }, players.map(({ each }) => each.node)));
    } catch (error) {
      stage.replaceChildren(element("p", { class: "note warn", role: "alert" }, `This episode cannot be unpacked: ${error.message}`));
    }
  }

  async function makePlayer({ run: of, key }) {
    const place = places.get(of)(key);
    if (place === undefined) throw new Error(`${key} was left out of this page`);
    const number = report.runs.indexOf(of);
    const episode = await loadEpisode(place, of.episodes.chunk_size, (chunk) => `chunk-${number}-${chunk}`);
    const made = { link: () => {} };
    const owner = report.runs.length > 1 ? `${of.label}: ` : "";
    made.each = player(episode, { title: `${owner}${episode.key}`, onstep: (frame) => made.link(frame) });
    return made;
  }

  if (runs.length) showFamilies();
  const pickers = [report.runs.length > 1 ? run.node : null, family.node, loop.node, played.node, filter.node];
  const node = element(
    "section",
    { id: "episodes", "aria-labelledby": "episodes-heading" },
    element("h2", { id: "episodes-heading" }, "Episodes"),
    report.runs.map(({ label, episodes }) => element("p", { class: "faint" }, report.runs.length > 1 ? `${label}: ${episodes.note}` : episodes.note)),
    runs.length ? [element("div", { class: "pickers" }, pickers), list] : null,
    element("p", { class: "faint" }, "In the player: \u2190 and \u2192 step, Home and End go to the first decision and to the end."),
    stage,
  );
  return { node, open };
}

function unique(values) {
  return [...new Set(values)];
}
