// Controls that select the entries shown: text search, track, and filters. The search covers all tracks.

import { element, picker, setOptions, uniqueId } from "../../assets/dom.js";
import { DIVISIONS, isFound, KINDS } from "./entry-format.js";
import { keyOrFirst } from "./view-state.js";

const FILTERS = {
  kind: {
    any: () => true,
    ...Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, (entry) => entry.kind === kind])),
  },
  weights: {
    any: () => true,
    open: ({ weights }) => weights === true,
    closed: ({ weights }) => weights === false,
    none: ({ weights }) => weights === null,
  },
  badge: {
    any: () => true,
    "replayed in full": ({ replayed_share: share }) => share >= 1,
    rerun: ({ badges }) => badges.includes("rerun"),
  },
};

// Return the function that says whether an entry of a track is shown.
export function entryFilter(all, { search, trained, actorTrained, ...state }) {
  const chosen = Object.entries(FILTERS).map(([name, table]) => table[keyOrFirst(table, state[name])]);
  const isTrainingKnown = all.some((entry) => entry.trained_on === trained);
  const isActorTrainingKnown = all.some((entry) => entry.actor_trained_on === actorTrained);
  return (entry) =>
    isFound(entry, search) &&
    chosen.every((passes) => passes(entry)) &&
    (!isTrainingKnown || entry.trained_on === trained) &&
    (!isActorTrainingKnown || entry.actor_trained_on === actorTrained);
}

// Return { node, show }.
export function filterControls(board, state, update) {
  const bySlug = new Map(board.entries.map((entry) => [entry.slug, entry]));
  const search = searchBox(state, update);
  const tracks = trackSwitch(board, bySlug, state, update);
  const kinds = [["any", "any"], ...Object.entries(KINDS)];
  const pickers = {
    kind: picker("Prompts written by", kinds, (kind) => update({ kind })),
    weights: picker("Weights of the reflector", Object.keys(FILTERS.weights), (weights) => update({ weights })),
    trained: picker("Reflector trained on", [], (trained) => update({ trained })),
    actorTrained: picker("Actor trained on", [], (actorTrained) => update({ actorTrained })),
    badge: picker("Badge", Object.keys(FILTERS.badge), (badge) => update({ badge })),
  };
  const controls = [search.node, ...Object.values(pickers).map(({ node }) => node)];
  const node = element("div", {}, tracks.node, element("div", { class: "pickers" }, controls));

  function show(track, all) {
    showTrainings("trained", all.map((entry) => entry.trained_on));
    showTrainings("actorTrained", all.map((entry) => entry.actor_trained_on));
    for (const name of Object.keys(FILTERS)) pickers[name].select.value = keyOrFirst(FILTERS[name], state[name]);
    search.show();
    tracks.show(track);
  }

  function showTrainings(name, names) {
    const trainings = [...new Set(names)].sort();
    setOptions(pickers[name].select, ["any", ...trainings]);
    pickers[name].select.value = trainings.includes(state[name]) ? state[name] : "any";
  }

  return { node, show };
}

function searchBox(state, update) {
  const input = element("input", {
    type: "search",
    placeholder: "name, reflector, actor, submitter",
    input: () => update({ search: input.value }),
  });
  function show() {
    if (input.value !== state.search) input.value = state.search;
  }
  return { node: element("label", { class: "picker search" }, element("span", {}, "Search"), input), show };
}

// One button per track, in a group for each division and for language models and programs as actors; each says how many
// entries the search finds.
function trackSwitch({ tracks }, bySlug, state, update) {
  const name = uniqueId("track");
  const choices = tracks.map((track) => trackChoice(track, name, () => select(track.key)));
  const groups = Object.entries(DIVISIONS)
    .flatMap(([division, { name: heading }]) => [
      [`${capitalised(heading)}, language models as actors`, choicesOf(division, false)],
      [`${capitalised(heading)}, programs as actors (scripted)`, choicesOf(division, true)],
    ])
    .filter(([, group]) => group.length);
  const node = element(
    "fieldset",
    { class: "tracks" },
    element("legend", {}, "Division, actor and profile"),
    groups.map(([heading, group]) =>
      element(
        "div",
        { class: "track-group", role: "group", "aria-label": heading },
        element("span", { class: "faint" }, heading),
        group.map((choice) => choice.node),
      ),
    ),
  );

  function choicesOf(division, isScripted) {
    return choices.filter(({ track }) => track.division === division && track.scripted === isScripted);
  }

  function select(track) {
    update({ track, trained: "any", actorTrained: "any", curves: "" });
  }

  function show(current) {
    for (const { track, input, count } of choices) {
      const found = track.entries.filter((slug) => isFound(bySlug.get(slug), state.search)).length;
      input.checked = track === current;
      count.textContent = state.search ? `${found} of ${track.entries.length}` : String(track.entries.length);
    }
  }

  return { node, show };
}

function capitalised(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function trackChoice(track, name, change) {
  const input = element("input", { type: "radio", name, value: track.key, change });
  const count = element("span", { class: "count" });
  const node = element("label", { class: "track" }, input, element("span", {}, track.name), " ", count);
  return { track, input, count, node };
}
