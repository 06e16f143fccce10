// Section at the end of every page: method, submission, citation, licence, last update, repository.

import { copyable } from "../../assets/copy.js";
import { definitionList, element, paragraph } from "../../assets/dom.js";
import { MISSING } from "../../assets/format.js";
import { outsideLink } from "../../assets/links.js";
import { section } from "../../assets/page.js";

const PAPER = "https://arxiv.org/abs/2605.20477";

export function aboutSection(about) {
  return section(
    "about",
    "About",
    definitionList("facts about", facts(about)),
    element("div", { class: "two-columns" }, method(about), submission(about), citation(about)),
  );
}

function facts({ updated, repository, docs, licence, ictbench }) {
  return [
    ["Last update", updated ?? MISSING],
    ["Repository", repository ? outsideLink(repository) : "The maintainers of this board state no address."],
    docs ? ["Documentation", outsideLink(docs)] : null,
    ["Licence", licence ? `${licence} (entries and tables); ictbench: Apache-2.0` : "ictbench: Apache-2.0"],
    ["Built with", `ictbench ${ictbench}`],
  ].filter(Boolean);
}

function method() {
  return card(
    "Method",
    paragraph(
      null,
      "An actor plays tasks under a system prompt. After each turn, a reflector reads the finished episodes and rewrites " +
        "the prompt. The prompt that solves most selection tasks is the best one. The result is its success rate on test " +
        "tasks, which no prompt was written from, and its gain over the first prompt. All entries of a track play the same " +
        "tasks with the same actor. The board recomputes every number from the recorded episodes, replays them without a " +
        "model, and ranks only what replayed.",
    ),
    paragraph(null, "From the paper ", outsideLink(PAPER, "Training Language Agents to Learn from Experience"), "."),
  );
}

function submission({ suite, repository, docs }) {
  const commands = [
    `ictbench run --suite ${suite ?? "SUITE"} --profile standard --reflector PROVIDER/MODEL --actor rules --out runs/mine`,
    "ictbench submit runs/mine --leaderboards leaderboards --name NAME --description TEXT --submitted-by WHO",
  ];
  return card(
    "How to submit",
    paragraph(null, "Run the reflector on all held-out families, then make the submission:"),
    copyable(commands.join("\n"), "commands to submit"),
    paragraph(
      null,
      "Push the branch that it makes, and open a pull request in the ",
      repository ? outsideLink(repository, "repository of this board") : "repository of this board",
      ". The maintainers replay the run and add it. ",
      docs ? ["Details are in the ", outsideLink(docs, "documentation"), "."] : "Details: docs/leaderboard.md of ictbench.",
    ),
  );
}

function citation({ bibtex }) {
  return card("How to cite", copyable(bibtex, "BibTeX"));
}

function card(heading, ...content) {
  return element("article", { class: "card", "aria-label": heading }, element("h3", {}, heading), content);
}
