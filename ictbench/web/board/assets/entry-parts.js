// What is known of an entry beside its run: who and what, its badges, itself against others.

import { element } from "./dom.js";
import { badgeList, dollars, ranksOf, tokens, weightsOf } from "./entry-words.js";
import { counted, estimate, number, signed } from "./format.js";
import { outsideLink, section } from "./site-frame.js";
import { dataTable } from "./table.js";

export function overviewSection(page) {
  const { entry, track, description, about } = page;
  return section(
    "overview",
    "Overview",
    element(
      "article",
      { class: "card" },
      headline(entry, track),
      element("p", { class: "description" }, description),
      facts(page),
      element(
        "ul",
        { class: "remarks" },
        [...entry.remarks, ...about].map((line) => element("li", {}, line)),
      ),
    ),
  );
}

function headline({ measures, section: kind, why, ranks }, track) {
  const { best, gain, base, last, over_blind: overBlind } = measures;
  const numbers = [
    ["best", estimate(best)],
    ["gain", estimate(gain, signed)],
    ["base", number(base?.value)],
    ["last", number(last?.value)],
    ["over blind", estimate(overBlind, signed)],
  ];
  const standing = kind === "ranked" ? `Rank ${ranksOf({ ranks })} of ${track.entries.length} in ${track.name}.` : `Not ranked: ${why}.`;
  return [
    element("p", { class: kind === "ranked" ? "standing" : "note warn" }, standing),
    element(
      "dl",
      { class: "headline" },
      numbers.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
    ),
    element("p", { class: "faint" }, "success on test tasks, mean of held-out families, 95 % intervals"),
  ];
}

function facts({ entry, revisions, actor_weights: actorWeights, links, made_with: madeWith, digest }) {
  const player = (label, revision, weights) =>
    [label, revision ? `revision ${revision}` : null, weights === "\u2013" ? null : `${weights} weights`].filter(Boolean).join(", ");
  const rows = [
    ["Reflector", player(entry.reflector, revisions.reflector, weightsOf(entry))],
    ["Trained on", entry.trained_on],
    ["Actor", player(entry.actor, revisions.actor, weightsOf({ weights: actorWeights }))],
    ["Profile", entry.profile],
    ["Submitted by", entry.by],
    ["Links", links.length ? links.map((address) => [outsideLink(address), " "]) : "\u2013"],
    ["Date", entry.date],
    ["Cost", `${tokens(entry.cost.calls)} calls, ${tokens(entry.cost.tokens)} tokens, ${dollars(entry.cost.usd)}`],
    ["Made with", Object.entries(madeWith).map(([name, version]) => `${name} ${version}`).join(", ")],
    ["Badges", badgeList(entry)],
    ["Submission", element("code", {}, digest)],
  ];
  return element(
    "dl",
    { class: "facts" },
    rows.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

export function badgesSection({ badges }) {
  return section(
    "badges",
    "Badges",
    element(
      "p",
      { class: "lead" },
      "Given by the board, from records of its own that are bound to this very submission. A change to it takes them away.",
    ),
    element("div", { class: "cards" }, badges.map(badgeCard)),
  );
}

function badgeCard({ badge, proves, proves_not: provesNot, record }) {
  return element(
    "article",
    { class: "card", "aria-label": badge },
    element("h3", {}, element("span", { class: record ? `badge ${badge}` : "badge absent" }, record ? badge : `not ${badge}`)),
    element("p", {}, element("strong", {}, record ? "It shows: " : "It would show: "), proves),
    element("p", {}, element("strong", {}, "It does not show: "), provesNot),
    record ? recordView(record) : null,
  );
}

function recordView({ replayed, reran, checks, date, by, ictbench, versions }) {
  const packages = Object.entries({ ictbench, ...versions }).map(([name, version]) => `${name} ${version}`);
  const told = [`${date.slice(0, 10)}${by ? `, by ${by}` : ""}, with ${packages.join(", ")}.`];
  if (replayed) {
    const share = replayed.episodes < replayed.of ? `, a sample drawn by ${replayed.sample_seed}` : "";
    told.unshift(`${tokens(replayed.episodes)} of ${tokens(replayed.of)} episodes, ${tokens(replayed.decisions)} decisions${share}.`);
  }
  if (reran) {
    const difference = `${signed(reran.rerun - reran.submitted)} [${signed(reran.low)}, ${signed(reran.high)}] (90 %)`;
    told.unshift(
      `Best ${number(reran.rerun)} against ${number(reran.submitted)}: ${difference}, within \u00b1${number(reran.margin)}, on ` +
        `${reran.fresh_tasks ? "fresh tasks of" : "the same games in"} ${reran.loops.length} loops.`,
    );
  }
  return [
    told.map((line) => element("p", { class: "faint" }, line)),
    element(
      "details",
      {},
      element("summary", {}, counted(checks.length, "check")),
      element(
        "ul",
        { class: "checks" },
        checks.map(({ name, verdict, detail }) =>
          element("li", {}, element("strong", { class: verdict === "passed" ? "good" : null }, verdict), ` ${name}: ${detail}`),
        ),
      ),
    ),
  ];
}

export function othersSection({ pairs, track }) {
  return section(
    "others",
    "Against others",
    element(
      "p",
      { class: "lead" },
      pairs.length
        ? `Best less best of each other entry of ${track.name}, on the same tasks. P-values of sign flips of whole loops, after Holm's correction over all pairs of the track.`
        : "There is nothing that it may be compared with.",
    ),
    pairs.length
      ? dataTable({
          caption: "Differences from other entries",
          columns: ["other entry", "difference [95 %]", "p", "it is"],
          rows: pairs.map(({ slug, name, difference, p, verdict }) => [
            element("a", { href: `${slug}.html` }, name),
            estimate(difference, signed),
            p < 0.001 ? p.toExponential(0) : number(p, 3),
            element("span", { class: { better: "good", worse: "bad", tie: "faint" }[verdict] }, verdict === "tie" ? "a tie" : verdict),
          ]),
          hideCaption: true,
        })
      : null,
  );
}
