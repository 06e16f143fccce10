// Compressed data blocks of a page, mostly episodes: decompressed on demand, the last few kept in memory.

const CACHE_SIZE = 6;
const cache = new Map();

// Return a function from an episode's key to its position in the index, undefined for an episode that is not stored.
export function episodeLocator(index) {
  const positions = new Map(index.keys.map((key, position) => [key, position]));
  return (key) => positions.get(key);
}

// `chunkId` returns the id of the element that holds the chunk of a given number.
export async function loadEpisode(position, chunkSize, chunkId) {
  return withActions(await loadEntry(position, chunkSize, chunkId));
}

// Return the entry at a position of an index.
export async function loadEntry(position, chunkSize, chunkId) {
  const entries = await loadChunk(chunkId(Math.floor(position / chunkSize)));
  return entries[position % chunkSize];
}

// Return the decompressed content of a chunk.
export async function loadChunk(id) {
  if (!cache.has(id)) {
    await documentParsed();
    cache.set(id, decompress(document.getElementById(id).textContent));
    if (cache.size > CACHE_SIZE) cache.delete(cache.keys().next().value);
  }
  return cache.get(id);
}

// Chunks come last in the page, so the browser may not have parsed them yet.
function documentParsed() {
  if (document.readyState !== "loading") return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}

async function decompress(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// A chunk omits the available actions of a step where they equal those of the step before.
function withActions(episode) {
  let actions = [];
  const steps = episode.steps.map((step) => ({ ...step, actions: (actions = step.actions ?? actions) }));
  return { ...episode, steps };
}
