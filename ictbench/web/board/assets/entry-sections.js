// Sections of an entry's page that describe the entry itself: overview, badges, comparison with other entries.

import { definitionList, element, paragraph } from "../../assets/dom.js";
import { counted, estimate, MISSING, number, pValue, signed } from "../../assets/format.js";
import { linkedText, outsideLink } from "../../assets/links.js";
import { headline, section } from "../../assets/page.js";
import { dataTable } from "../../assets/table.js";
import { badgeList, compactCount, DIVISIONS, dollars, kindTag, ranksText, weightsText } from "./entry-format.js";

const VERDICTS = { better: ["better", "good"], worse: ["worse", "bad"], tie: ["tie", "faint"] };

export function overviewSection(page) {
  const { entry, track, description, notes } = page;
  return section(
    "overview",
    "Overview",
    element(
      "article",
      { class: "card" },
      standing(entry, track),
      paragraph("description", linkedText(description)),
      definitionList("facts", facts(page)),
      element(
        "ul",
        { class: "remarks" },
        [...entry.remarks, ...notes].map((line) => element("li", {}, line)),
      ),
    ),
  );
}

function standing({ measures, section: group, why, ranks, blind }, track) {
  const { best, gain, base, last, over_blind: overBlind } = measures;
  const pairs = [
    ["best", estimate(best)],
    ["gain", estimate(gain, signed)],
    ["base", number(base?.value)],
    ["last", number(last?.value)],
    ["over blind", estimate(overBlind, signed)],
  ];
  return [
    group === "ranked"
      ? paragraph("standing", `Rank ${ranksText({ ranks })} of ${track.size} in ${track.name}.`)
      : paragraph("note warn", `Not ranked: ${why}.`),
    headline(pairs, "success rate on test tasks, mean of held-out families, 95 % intervals"),
    group === "ranked" ? paragraph("faint", blindText(blind)) : null,
  ];
}

// A replay cannot tell a forged blind arm from a real one, so only a rerun one counts.
function blindText(blind) {
  if (!blind) return "Over blind: the board has no rerun of this reflector\u2019s blind arm.";
  return ["Over blind: compared with ", element("a", { href: `${blind.slug}.html` }, blind.name), `, by ${blind.by}.`];
}

function facts({ entry, entry: { measures: { progress } }, revisions, actor_weights: actorWeights, links, made_with: versions, digest }) {
  return [
    ["Reflector", [playerText(entry.reflector, revisions.reflector, entry.weights), " ", kindTag(entry)]],
    ["Reflector trained on", entry.trained_on],
    ["Actor", playerText(entry.actor, revisions.actor, actorWeights)],
    ["Actor trained on", entry.actor_trained_on],
    ["Division", DIVISIONS[entry.division].name],
    ["Profile", entry.profile],
    ...(progress ? [["Progress on test tasks", `${estimate(progress)}, mean of held-out families; it ranks nothing`]] : []),
    ["Submitted by", entry.by],
    ["Links", links.length ? links.map((address) => [outsideLink(address), " "]) : MISSING],
    ["Date", entry.date],
    [
      "Cost",
      `${compactCount(entry.cost.calls)} calls, ${compactCount(entry.cost.tokens)} tokens, ${dollars(entry.cost.usd)}; ` +
        `${counted(entry.cost.experience, "episode")} of experience per loop`,
    ],
    ["Software", versionsText(versions)],
    ["Badges", badgeList(entry)],
    ["Submission", element("code", {}, digest)],
  ];
}

function playerText(label, revision, weights) {
  const parts = [label];
  if (revision) parts.push(`revision ${revision}`);
  if (weights !== null) parts.push(`${weightsText({ weights })} weights`);
  return parts.join(", ");
}

function versionsText(versions) {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

export function badgesSection({ badges }) {
  return section(
    "badges",
    "Badges",
    paragraph(
      "lead",
      "The board awards badges from its own verification records. A record is bound to this exact submission: if the " +
        "submission changes, it loses its badges.",
    ),
    element("div", { class: "cards" }, badges.map(badgeCard)),
  );
}

function badgeCard({ badge, proves, proves_not: provesNot, record }) {
  const tag = record
    ? element("span", { class: `badge ${badge}` }, badge)
    : element("span", { class: "badge absent" }, `not ${badge}`);
  return element(
    "article",
    { class: "card", "aria-label": badge },
    element("h3", {}, tag),
    paragraph(null, element("strong", {}, record ? "It shows: " : "It would show: "), proves),
    paragraph(null, element("strong", {}, "It does not show: "), provesNot),
    record ? recordView(record) : null,
  );
}

function recordView({ replayed, reran, checks, date, by, ictbench, versions }) {
  const origin = `${date.slice(0, 10)}${by ? `, by ${by}` : ""}, with ${versionsText({ ictbench, ...versions })}.`;
  const lines = [reran ? rerunText(reran) : null, replayed ? replayText(replayed) : null, origin];
  return [
    lines.filter(Boolean).map((text) => paragraph("faint", text)),
    element(
      "details",
      {},
      element("summary", {}, counted(checks.length, "check")),
      element(
        "ul",
        { class: "checks" },
        checks.map(({ name, verdict, detail }) =>
          element(
            "li",
            {},
            element("strong", { class: verdict === "passed" ? "good" : null }, verdict),
            ` ${name}: ${detail}`,
          ),
        ),
      ),
    ),
  ];
}

function replayText({ episodes, of: total, decisions, sample_seed: seed }) {
  const sample = episodes < total ? `, sampled with seed ${seed}` : "";
  const share = `${compactCount(episodes)} of ${compactCount(total)} episodes`;
  return `Replayed: ${share}, ${compactCount(decisions)} decisions${sample}.`;
}

function rerunText({ rerun, submitted, low, high, margin, fresh_tasks: freshTasks, loops }) {
  const difference = `${signed(rerun - submitted)} [${signed(low)}, ${signed(high)}] (90 %)`;
  const tasks = freshTasks ? "fresh tasks" : "the same games";
  return (
    `Best ${number(rerun)} in the rerun, ${number(submitted)} in the submission: difference ${difference}, within the ` +
    `margin of \u00b1${number(margin)}, on ${tasks} in ${counted(loops.length, "loop")}.`
  );
}

export function evidenceSection({ evidence }) {
  return section(
    "evidence",
    "Evidence",
    paragraph(
      "lead",
      "The files from which the board computed this page. ",
      element("code", {}, "ictbench verify"),
      " on a folder that holds them replays the recorded actions without a model.",
    ),
    dataTable({
      caption: "Files of the entry",
      columns: ["file", "size", "SHA-256"],
      rows: evidence.map(({ place, href, sha256, bytes }) => [
        element("a", { href, rel: "nofollow noopener noreferrer" }, place),
        fileSize(bytes),
        element("code", {}, sha256),
      ]),
      hideCaption: true,
    }),
  );
}

function fileSize(bytes) {
  return bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

export function comparisonSection({ pairs, track }) {
  return section(
    "others",
    "Comparison with other entries",
    paragraph(
      "lead",
      pairs.length
        ? `Best of this entry minus best of ${pairs.length < track.size - 1 ? "the nearest entries" : "each other entry"} ` +
            `of ${track.name}, on the same tasks. P-values are corrected for all pairs of the track.`
        : "No other entry is comparable with this one.",
    ),
    pairs.length
      ? dataTable({
          caption: "Differences from other entries",
          columns: ["other entry", "difference [95 %]", "p", "this entry is"],
          rows: pairs.map(pairRow),
          hideCaption: true,
        })
      : null,
  );
}

function pairRow({ slug, name, difference, p, verdict }) {
  const [text, kind] = VERDICTS[verdict];
  return [
    element("a", { href: `${slug}.html` }, name),
    estimate(difference, signed),
    pValue(p),
    element("span", { class: kind }, text),
  ];
}
