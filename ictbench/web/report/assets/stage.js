// Where episodes are played back: one, or two of the same task that step together.

import { element, picker, setOptions } from "./dom.js";
import { player } from "./player.js";

// Answers { node, open }: `open(run, key)` shows an episode and takes the focus to it.
export function stage(library) {
  const node = element("div", { class: "stage" });
  const beside = picker("Beside it", [], show);
  let current = null;
  let others = [];

  async function open(run, key) {
    current = { run, key };
    others = library.sameTask(run, key);
    beside.select.value = "";
    setOptions(beside.select, [["", "nothing"], ...others.map((other, index) => [index, named(other, other.name)])]);
    await show();
    node.scrollIntoView({ block: "start" });
    node.querySelector(".player")?.focus({ preventScroll: true });
  }

  async function show() {
    const chosen = beside.select.value === "" ? [current] : [current, others[beside.select.value]];
    try {
      const episodes = await Promise.all(chosen.map(({ run, key }) => library.load(run, key)));
      const players = episodes.map((episode, index) =>
        player(episode, {
          title: named(chosen[index], episode.key),
          onstep: (frame) => players.forEach((each) => each.show(frame)),
        }),
      );
      const choice = others.length ? element("div", { class: "pickers" }, beside.node) : "";
      node.replaceChildren(
        choice,
        element(
          "div",
          { class: "players" },
          players.map((each) => each.node),
        ),
      );
    } catch (error) {
      const told = `This episode cannot be unpacked: ${error.message}`;
      node.replaceChildren(element("p", { class: "note warn", role: "alert" }, told));
    }
  }

  function named({ run }, name) {
    return library.several ? `${run.label}: ${name}` : name;
  }

  return { node, open };
}
