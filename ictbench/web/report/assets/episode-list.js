// Finds an episode: run, family, loop, what it was played as, how it went.

import { element, picker, setOptions } from "./dom.js";
import { counted, words } from "./format.js";

const FILTERS = {
  all: () => true,
  solved: ({ solved }) => solved,
  "not solved": ({ solved }) => !solved,
  "with invalid actions": ({ invalid }) => invalid > 0,
};

// `open(run, key)` is told what was picked.
export function episodeList(library, open) {
  const list = element("ul", { class: "tasks", "aria-label": "Episodes" });
  const run = picker(
    "Run",
    library.runs.map(({ label }, index) => [index, label]),
    showFamilies,
  );
  const family = picker("Family", [], showLoops);
  const loop = picker("Loop", [], showPlayed);
  const played = picker("Played as", [], showTasks);
  const filter = picker(
    "Show",
    Object.keys(FILTERS).map((name) => [name, name]),
    showTasks,
  );

  const chosenRun = () => library.runs[run.select.value];
  const ofFamily = () => library.groups(chosenRun()).filter((group) => group.family === family.select.value);
  const ofLoop = () => ofFamily().filter((group) => String(group.loop) === loop.select.value);

  function showFamilies() {
    offer(
      family,
      library.groups(chosenRun()).map((group) => group.family),
    );
    showLoops();
  }

  function showLoops() {
    offer(
      loop,
      ofFamily().map((group) => group.loop),
    );
    showPlayed();
  }

  function showPlayed() {
    offer(
      played,
      ofLoop().map(({ name }) => name),
    );
    showTasks();
  }

  function showTasks() {
    const group = ofLoop().find(({ name }) => name === played.select.value);
    const episodes = group.episodes.map((episode) => ({ ...episode, ...recorded(library, chosenRun(), episode.key) }));
    const items = episodes
      .filter(FILTERS[filter.select.value])
      .map((episode) => item(episode, () => open(chosenRun(), episode.key)));
    list.replaceChildren(...(items.length ? items : [element("li", { class: "faint" }, "None.")]));
  }

  showFamilies();
  const pickers = [library.several ? run.node : null, family.node, loop.node, played.node, filter.node];
  return element("div", {}, element("div", { class: "pickers" }, pickers), list);
}

function offer({ select }, values) {
  setOptions(
    select,
    [...new Set(values)].map((value) => [value, String(value)]),
  );
}

// What the index of the page says of an episode, nothing where it was left out.
function recorded(library, run, key) {
  const place = library.place(run, key);
  if (place === undefined) return { told: "left out of this page", isHere: false, invalid: 0 };
  const { ends, decisions, invalid } = run.episodes;
  return {
    told: `${words(ends[place])}, ${counted(decisions[place], "decision")}`,
    isHere: true,
    invalid: invalid[place],
  };
}

function item({ task, key, solved, told, isHere }, click) {
  const attributes = {
    type: "button",
    class: `outcome ${solved ? "good" : "bad"}`,
    disabled: !isHere,
    "data-key": key,
    click,
  };
  return element("li", {}, element("button", attributes, element("strong", {}, task), element("span", {}, told)));
}
