// Selection of an episode by run, family, loop, purpose and outcome.

import { element, picker, setOptions } from "../dom.js";
import { counted, words } from "../format.js";

const FILTERS = {
  all: () => true,
  solved: ({ solved }) => solved,
  "not solved": ({ solved }) => !solved,
  "with invalid actions": ({ invalid }) => invalid > 0,
};

// `open(run, key)` is called with the selected episode.
export function episodeList(library, open) {
  const list = element("ul", { class: "tasks", "aria-label": "Episodes" });
  const run = picker(
    "Run",
    library.runs.map(({ label }, index) => [index, label]),
    showFamilies,
  );
  const family = picker("Family", [], showLoops);
  const loop = picker("Loop", [], showPurposes);
  const purpose = picker("Purpose", [], showTasks);
  const filter = picker("Show", Object.keys(FILTERS), showTasks);

  const selectedRun = () => library.runs[run.select.value];
  const groupsOfFamily = () => library.groups(selectedRun()).filter((group) => group.family === family.select.value);
  const groupsOfLoop = () => groupsOfFamily().filter((group) => String(group.loop) === loop.select.value);

  function showFamilies() {
    setValues(
      family,
      library.groups(selectedRun()).map((group) => group.family),
    );
    showLoops();
  }

  function showLoops() {
    setValues(
      loop,
      groupsOfFamily().map((group) => group.loop),
    );
    showPurposes();
  }

  function showPurposes() {
    setValues(
      purpose,
      groupsOfLoop().map(({ name }) => name),
    );
    showTasks();
  }

  function showTasks() {
    const group = groupsOfLoop().find(({ name }) => name === purpose.select.value);
    const episodes = group.episodes.map((episode) => ({ ...episode, ...summary(library, selectedRun(), episode.key) }));
    const items = episodes
      .filter(FILTERS[filter.select.value])
      .map((episode) => item(episode, () => open(selectedRun(), episode.key)));
    list.replaceChildren(...(items.length ? items : [element("li", { class: "faint" }, "None.")]));
  }

  showFamilies();
  const pickers = [library.several ? run.node : null, family.node, loop.node, purpose.node, filter.node];
  return element("div", {}, element("div", { class: "pickers" }, pickers), list);
}

function setValues({ select }, values) {
  setOptions(select, [...new Set(values)]);
}

// Return what the page's index says about an episode.
function summary(library, run, key) {
  const position = library.position(run, key);
  if (position === undefined) return { text: "not stored in this page", isStored: false, invalid: 0 };
  const { ends, decisions, invalid } = run.episodes;
  return {
    text: `${words(ends[position])}, ${counted(decisions[position], "decision")}`,
    isStored: true,
    invalid: invalid[position],
  };
}

function item({ task, key, solved, repeat, text, isStored }, click) {
  const attributes = {
    type: "button",
    class: `outcome ${solved ? "good" : "bad"}`,
    disabled: !isStored,
    "data-key": key,
    click,
  };
  const name = repeat ? `${task}, repeat ${repeat}` : task;
  return element("li", {}, element("button", attributes, element("strong", {}, name), element("span", {}, text)));
}
