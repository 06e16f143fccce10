// What is packed in the page, episodes above all: unpacked when it is asked for, the last few chunks kept.

const KEPT = 6;
const kept = new Map();

// Where an episode of an index is, or undefined where the page does not hold it.
export function locator(index) {
  const places = new Map(index.keys.map((key, place) => [key, place]));
  return (key) => places.get(key);
}

// `chunkId` answers the id of the element that holds a chunk.
export async function loadEpisode(place, size, chunkId) {
  const episodes = await loadChunk(chunkId(Math.floor(place / size)));
  return withActions(episodes[place % size]);
}

// What a chunk holds.
export async function loadChunk(id) {
  if (!kept.has(id)) {
    await parsed();
    kept.set(id, unpack(document.getElementById(id).textContent));
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  }
  return kept.get(id);
}

// The chunks stand behind everything else in the page, so they may still be on their way.
function parsed() {
  if (document.readyState !== "loading") return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// Actions that are those of the step before are left out of the chunk.
function withActions(episode) {
  let actions = [];
  const steps = episode.steps.map((step) => ({ ...step, actions: (actions = step.actions ?? actions) }));
  return { ...episode, steps };
}
