// The memory that goes with a prompt, and its change since the prompt before; loaded when it is opened.

import { episodeLocator, loadEntry } from "../chunks.js";
import { diffView } from "../diff-view.js";
import { element, paragraph } from "../dom.js";
import { errorNote } from "../page.js";

// Differences of longer texts take a browser seconds.
const MAX_COMPARED = 20000;

// Return null where the prompt has no memory.
export function memoryView(report, run, { prompts }, index) {
  const digest = prompts[index].memory;
  if (!digest) return null;
  const before = prompts[index - 1]?.memory;
  if (digest === before) return paragraph("faint", "Memory unchanged.");
  if (!run.memories?.keys.includes(digest)) return paragraph("faint", `Its memory (${digest}) is not in this page.`);
  const place = element("div", {});
  const details = element(
    "details",
    { class: "memory", toggle: open },
    element("summary", {}, before ? "Memory, and its change" : "Memory"),
    place,
  );
  let isShown = false;

  async function open() {
    if (isShown || !details.open) return;
    isShown = true;
    try {
      const [now, earlier] = await Promise.all([load(report, run, digest), before ? load(report, run, before) : null]);
      place.replaceChildren(...content(now, earlier));
    } catch (error) {
      place.replaceChildren(errorNote(`Cannot decompress this memory: ${error.message}`));
    }
  }

  return details;
}

function content(now, earlier) {
  const cut = now.whole ? [] : [paragraph("faint", "Only the beginning is shown; memories.jsonl.gz has the whole memory.")];
  const isCompared = earlier && Math.max(now.text.length, earlier.text.length) <= MAX_COMPARED;
  const text = element("div", { class: "prompt-text", tabindex: 0, role: "group", "aria-label": "Memory" }, now.text);
  return [...cut, isCompared ? diffView(earlier.text, now.text) : text];
}

function load(report, run, digest) {
  const position = episodeLocator(run.memories)(digest);
  const number = report.runs.indexOf(run);
  return loadEntry(position, run.memories.chunk_size, (chunk) => `memory-${number}-${chunk}`);
}
