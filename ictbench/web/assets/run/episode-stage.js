// Stage on which episodes are replayed: one, or two of the same task that step together.

import { element, picker, setOptions } from "../dom.js";
import { errorNote } from "../page.js";
import { player } from "../player.js";

// Return { node, open }: `open(run, key)` shows an episode and moves the focus to it.
export function episodeStage(library) {
  const node = element("div", { class: "stage" });
  const second = picker("Compare with", [], show);
  let current = null;
  let others = [];

  async function open(run, key) {
    current = { run, key };
    others = library.sameTask(run, key);
    second.select.value = "";
    setOptions(second.select, [["", "nothing"], ...others.map((other, index) => [index, titleOf(other, other.name)])]);
    await show();
    node.scrollIntoView({ block: "start" });
    node.querySelector(".player")?.focus({ preventScroll: true });
  }

  async function show() {
    const shown = second.select.value === "" ? [current] : [current, others[second.select.value]];
    try {
      const episodes = await Promise.all(shown.map(({ run, key }) => library.load(run, key)));
      const players = episodes.map((episode, index) =>
        player(episode, {
          title: titleOf(shown[index], episode.key),
          onstep: (frame) => players.forEach((each) => each.show(frame)),
        }),
      );
      node.replaceChildren(
        others.length ? element("div", { class: "pickers" }, second.node) : "",
        element(
          "div",
          { class: "players" },
          players.map((each) => each.node),
        ),
      );
    } catch (error) {
      node.replaceChildren(errorNote(`Cannot decompress this episode: ${error.message}`));
    }
  }

  function titleOf({ run }, name) {
    return library.several ? `${run.label}: ${name}` : name;
  }

  return { node, open };
}
