"use strict";
(() => {

  // assets/visible.js
  var UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
  var KEY_NAMES = { "\x1B": "Esc", " ": "Space", "\r": "Enter", "\n": "Enter", "\t": "Tab" };
  function visible(text) {
    return String(text).replace(UNSAFE, (character) => `[U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
  }
  function keyName(key) {
    return KEY_NAMES[key] ?? key;
  }

  // assets/dom.js
  var SVG = "http://www.w3.org/2000/svg";
  var lastId = 0;
  function uniqueId(prefix) {
    lastId += 1;
    return `${prefix}-${lastId}`;
  }
  function element(name, attributes = {}, ...children) {
    return build(document.createElement(name), attributes, children);
  }
  function svgElement(name, attributes = {}, ...children) {
    return build(document.createElementNS(SVG, name), attributes, children);
  }
  function paragraph(kind, ...children) {
    return element("p", { class: kind }, children);
  }
  function definitionList(kind, pairs) {
    return element("dl", { class: kind }, pairs.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  }
  function picker(label, options, onchange) {
    const select = element("select", { change: () => onchange(select.value) });
    setOptions(select, options);
    return { node: element("label", { class: "picker" }, element("span", {}, label), select), select };
  }
  function setOptions(select, options) {
    const selected = select.value;
    const pairs = options.map((option) => Array.isArray(option) ? option : [option, option]);
    select.replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
    if (pairs.some(([value]) => String(value) === selected))
      select.value = selected;
  }
  function build(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function")
        node.addEventListener(name, value);
      else if (value === true)
        node.setAttribute(name, "");
      else if (value !== null && value !== undefined && value !== false)
        node.setAttribute(name, value);
    }
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined).map(toNode));
    return node;
  }
  function toNode(child) {
    return child instanceof Node ? child : document.createTextNode(visible(child));
  }

  // assets/tooltip.js
  var GAP = 6;
  var MARGIN = 8;
  var LEAVE_MILLISECONDS = 200;
  var bubble = null;
  var leaving = null;
  function explained(control, text) {
    const id = uniqueId("meaning");
    control.setAttribute("aria-describedby", id);
    for (const event of ["mouseenter", "focus"])
      control.addEventListener(event, () => show(control, text));
    for (const event of ["mouseleave", "blur"])
      control.addEventListener(event, leave);
    control.addEventListener("keydown", (event) => event.key === "Escape" && hide());
    return [control, element("span", { id, hidden: true }, text)];
  }
  function show(control, text) {
    hide();
    bubble = element("div", { class: "tooltip", "aria-hidden": "true", mouseenter: stay, mouseleave: leave }, text);
    document.body.append(bubble);
    const { left, top, bottom } = control.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = bubble;
    const isBelow = bottom + GAP + height <= innerHeight;
    bubble.style.left = `${Math.max(MARGIN, Math.min(left, document.documentElement.clientWidth - width - MARGIN))}px`;
    bubble.style.top = `${isBelow ? bottom + GAP : Math.max(MARGIN, top - GAP - height)}px`;
    addEventListener("scroll", hide, { capture: true, once: true });
  }
  function stay() {
    clearTimeout(leaving);
  }
  function leave() {
    clearTimeout(leaving);
    leaving = setTimeout(hide, LEAVE_MILLISECONDS);
  }
  function hide() {
    clearTimeout(leaving);
    bubble?.remove();
    bubble = null;
  }

  // assets/terms.js
  var INTERVAL = "In brackets: 95 % interval. About 95 of 100 such intervals hold the value that very many loops would give.";
  var TERMS = {
    rank: "Place among all entries of this track. A range such as 2–4 is a tie: the order within it may be chance, as p is " + "above 0.05 after correction for all pairs.",
    entry: "Name of the entry, its reflector, and who submitted it.",
    "base to best": "Line from 0 to 1. Hollow mark: success rate under the first prompt. Filled mark: under the best prompt, with its " + "95 % interval as a band.",
    base: `Success rate on test tasks under the suite’s own prompt, prompt[0]. ${INTERVAL}`,
    best: "Success rate on test tasks under the best prompt: the one that solved most selection tasks, which are others than the " + `test tasks. ${INTERVAL}`,
    last: `Success rate on test tasks under the last prompt. ${INTERVAL}`,
    gain: `best − base, on the same test tasks. ${INTERVAL}`,
    "last gain": `last − base, on the same test tasks. ${INTERVAL}`,
    "learner’s gain": `Gain of the best prompts for the actor with which they were learned. ${INTERVAL}`,
    "player’s gain": `Gain of the same prompts for the other actor, over its own success under the first prompt. ${INTERVAL}`,
    "last gains": "Gains of the last prompts: for the actor with which they were learned, then for the other actor.",
    headroom: "1 − base: how far the success rate could rise.",
    "headroom gain": `gain ÷ (1 − base): the share of the possible improvement that was reached. ${INTERVAL}`,
    "over blind": "best minus best of a blind arm: the same reflector, which is shown no trajectory. It is what experience adds, as the " + "best of several wordings gains something by itself. The arm used is named with the number.",
    badges: "replayed: the board replayed the recorded actions and got the recorded outcomes. rerun: a maintainer ran the players " + "again and best was the same within a margin.",
    "trained on": "Families on which the reflector’s weights were trained, as stated; and whether the weights are public.",
    tokens: "Input and output tokens of the whole run, all roles together, as reported; below, their price in US dollars. " + "Unknown if the provider did not report them, or if replies came from the response cache.",
    dollars: "Price of all tokens of the run.",
    cost: "Price in US dollars, where the prices are known.",
    division: "How the learner learns: reflectors rewrite the prompt once a turn, memory learners also keep a memory, optimisers search " + "over a whole loop. Each division has rankings of its own.",
    experience: "Episodes that the learner could learn from, mean per loop, with those that it played itself.",
    "Pareto front": "Whether no other ranked entry of any division gains at least as much with no more tokens and no more experience. An " + "entry whose tokens are unknown is not on it.",
    date: "Day on which the run was started (UTC), or on which the log line was written.",
    reason: "Why the board does not rank the entry, or why the log line was written.",
    actor: "Player of the tasks: a language model, or a program.",
    profile: "Named sizes of a run. standard: 10 turns, 10 loops, 50 test tasks; lite: 5 turns, 5 loops, 20 test tasks.",
    AUC: `Mean success rate on selection tasks over all prompts: how early the agent learns. ${INTERVAL}`,
    "W‑AUC": `AUC that weighs later prompts more: Σ i·success(i) ÷ Σ i. ${INTERVAL}`,
    "negative transfer": "Share of loops in which the best prompt does worse than prompt[0] on test tasks.",
    "negative last transfer": "Share of loops in which the last prompt does worse than prompt[0] on test tasks.",
    "overfitting gap": "Gain on the batch that the reflector read, replayed, minus gain on the next batch, which it had not read. Above 0, " + "the prompt fits its own batch more than new tasks.",
    family: "Tasks of one kind. Reflectors may be trained on meta-train families, never on held-out ones.",
    prompt: "The prompt under which the tasks were played.",
    progress: "Mean share of a test task that is done at the end, under the best prompt, as the environment measures it; 1 if the task " + `is solved. It ranks nothing. ${INTERVAL}`,
    noise: "Share of the variance of outcomes that lies between repeats of the same task.",
    forgetting: "Success on a family of a stream before turns without a task of it, minus that after them, on the same test tasks. " + `Above 0, what was learned of it is lost while others are met. ${INTERVAL}`,
    "forward transfer": "Success on a family of a stream before its first task, minus that under prompt[0], on the same test tasks: what " + `others teach about it. ${INTERVAL}`,
    after: "Success rate on test tasks of the family under the prompt that its last turn of the stream produced.",
    regret: "The same tasks under the best prompt, minus all turns as they were played.",
    role: "What the calls were made for: playing experience, selection or test tasks, or reflecting.",
    calls: "Calls to language models.",
    "input tokens": "Tokens sent to the models.",
    "output tokens": "Tokens that the models wrote, with reasoning.",
    cached: "Input tokens that the provider had in its cache.",
    reasoning: "Output tokens spent on reasoning.",
    "replies from cache": "Calls that were answered from the local cache without asking the model.",
    "parse failures": "Replies that named no action in the required format.",
    p: "Probability of a difference at least this large if the entries were equal, corrected for the number of comparisons.",
    "p, corrected": "p after Holm’s correction for all families and runs; for a mean over families, for all runs.",
    "wins / ties / losses": "Test tasks that only this run solved, that both or neither solved, and that only the other run solved.",
    "difference [95 %]": `Difference on the same tasks, with its 95 % interval.`,
    "this entry is": "Better or worse where p is at most 0.05, else a tie.",
    event: "added, attempted (and refused), corrected or removed."
  };
  function term(name, text = name) {
    if (!Object.hasOwn(TERMS, name))
      return text;
    return explained(element("button", { type: "button", class: "term" }, text), TERMS[name]);
  }

  // assets/theme.js
  var STORAGE_KEY = "ictbench-theme";
  function themeButton() {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
    const other = () => isDark() ? "light" : "dark";
    const button = element("button", { type: "button", class: "theme", click: toggle });
    function show() {
      button.textContent = isDark() ? "Light theme" : "Dark theme";
    }
    function toggle() {
      root.dataset.theme = other();
      save(root.dataset.theme);
      show();
    }
    const saved = load();
    if (saved)
      root.dataset.theme = saved;
    system.addEventListener("change", show);
    show();
    return button;
  }
  function save(theme) {
    try {
      localStorage.setItem(STORAGE_KEY, theme);
    } catch {}
  }
  function load() {
    try {
      const theme = localStorage.getItem(STORAGE_KEY);
      return theme === "light" || theme === "dark" ? theme : null;
    } catch {
      return null;
    }
  }

  // assets/page.js
  function pageDocument() {
    return JSON.parse(document.getElementById("document").textContent);
  }
  function drawPage({ title, subtitle = "", trail = [], sections }) {
    document.getElementById("top").append(element("div", { class: "title" }, trail.map(([text, href]) => element("a", { href, class: "back" }, text)), element("h1", {}, title), subtitle ? element("p", {}, subtitle) : null), themeButton(), navigation(sections));
    document.getElementById("content").replaceChildren(...sections.map(([, node]) => node));
    scrollToAddress();
  }
  function navigation(sections) {
    const links = sections.map(([name, node]) => element("li", {}, element("a", { href: `#${node.id}`, click: fold }, name)));
    const list = element("ul", {}, links);
    const button = element("button", { type: "button", class: "unfold", "aria-expanded": "false", click: toggle }, "Sections");
    const nav = element("nav", { "aria-label": "Sections", keydown: ({ key }) => key === "Escape" && fold() }, button, list);
    function setOpen(isOpen) {
      button.setAttribute("aria-expanded", String(isOpen));
      nav.classList.toggle("open", isOpen);
    }
    function fold() {
      setOpen(false);
    }
    function toggle() {
      setOpen(!nav.classList.contains("open"));
    }
    return nav;
  }
  function scrollToAddress() {
    if (location.hash.length > 1)
      document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }
  function section(id, heading, ...children) {
    return element("section", { id, "aria-labelledby": `${id}-heading` }, element("h2", { id: `${id}-heading` }, heading), ...children);
  }
  function headline(pairs, caption) {
    const cells = pairs.map(([name, value]) => element("div", {}, element("dt", {}, term(name)), element("dd", {}, value)));
    return [element("dl", { class: "headline" }, cells), paragraph("faint", caption)];
  }
  function errorNote(text) {
    return element("p", { class: "note warn", role: "alert" }, text);
  }

  // assets/format.js
  var MISSING = "–";
  function fixed(value, digits) {
    const exact = value.toFixed(100);
    const end = exact.length - 100 + digits;
    const down = exact.slice(0, end).replace(/\.$/, "");
    const isTie = /^50*$/.test(exact.slice(end));
    return isTie && "02468".includes(down.at(-1)) ? down : value.toFixed(digits);
  }
  function number(value, digits = 2) {
    return isNumber(value) ? unsignedZero(fixed(value, digits)) : MISSING;
  }
  function signed(value, digits = 2) {
    if (!isNumber(value))
      return MISSING;
    const size = fixed(Math.abs(value), digits);
    if (Number(size) === 0)
      return size;
    return `${value < 0 ? "−" : "+"}${size}`;
  }
  function percent(value) {
    return isNumber(value) ? `${fixed(100 * value, 1)} %` : MISSING;
  }
  function count(value) {
    return isNumber(value) ? value.toLocaleString("en-US") : MISSING;
  }
  function counted(value, noun) {
    return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
  }
  function money(value) {
    if (!isNumber(value))
      return "unknown";
    return value > 0 && value < 0.0001 ? "<$0.0001" : `$${fixed(value, value < 1 ? 4 : 2)}`;
  }
  function duration(seconds) {
    if (!isNumber(seconds))
      return MISSING;
    if (seconds < 120)
      return `${seconds.toFixed(0)} s`;
    return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
  }
  function pValue(value) {
    return value < 0.001 ? value.toExponential(0) : number(value, 3);
  }
  function estimate(measure, format = number) {
    if (!measure)
      return MISSING;
    const interval = isNumber(measure.low) ? ` [${format(measure.low)}, ${format(measure.high)}]` : "";
    return format(measure.value) + interval;
  }
  function words(name) {
    return name.replaceAll("_", " ");
  }
  function range(length) {
    return Array.from({ length }, (_, index) => index);
  }
  function successRate(outcomes) {
    return solvedCount(outcomes) / outcomes.length;
  }
  function solvedCount(outcomes) {
    return [...outcomes].filter((outcome) => outcome === "1").length;
  }
  function unsignedZero(text) {
    return Number(text) === 0 ? text.replace("-", "") : text;
  }
  function isNumber(value) {
    return typeof value === "number" && Number.isFinite(value);
  }

  // assets/table.js
  var HEAT_LEVELS = 5;
  function dataTable({ caption, columns, rows, hideCaption = false }) {
    const names = columns.map((column) => column.name ?? column);
    const heads = columns.map((column) => columnHead({}, column.node ?? term(column)));
    const body = rows.map((cells) => tableRow(names, cells));
    return scrollBox(table({ caption, heads, body: element("tbody", { role: "rowgroup" }, body), hideCaption }), caption);
  }
  function table({ kind = null, caption, heads, body, hideCaption = false }) {
    return element("table", { class: kind, role: "table" }, element("caption", { class: hideCaption ? "visually-hidden" : null }, caption), element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, heads)), body);
  }
  function columnHead(attributes, ...content) {
    return element("th", { scope: "col", role: "columnheader", ...attributes }, content);
  }
  function tableRow(names, [first, ...rest], attributes = {}) {
    return element("tr", { role: "row", ...attributes }, element("th", { scope: "row", role: "rowheader", "data-label": names[0] }, first), rest.map((cell, index) => dataCell(names[index + 1], cell)));
  }
  function dataCell(name, content, attributes = {}) {
    return element("td", { role: "cell", "data-label": name, ...attributes }, content);
  }
  function scrollBox(content, label) {
    const box = element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, content);
    if (content.tagName === "TABLE")
      keepFitting(box);
    return box;
  }
  function keepFitting(box) {
    let fitted = 0;
    let scheduled = false;
    const later = () => {
      if (scheduled)
        return;
      scheduled = true;
      requestAnimationFrame(() => {
        scheduled = false;
        fitted = box.offsetWidth;
        box.classList.remove("stacked");
        box.classList.toggle("stacked", box.scrollWidth > box.clientWidth);
      });
    };
    new ResizeObserver(() => box.offsetWidth !== fitted && later()).observe(box);
    new MutationObserver(later).observe(box, { childList: true, subtree: true });
  }
  function foldedTable(table) {
    return element("details", { class: "numbers" }, element("summary", {}, `Numbers: ${table.caption}`), dataTable({ ...table, hideCaption: true }));
  }
  function heatCell(share, ...content) {
    const level = Math.ceil(Math.min(1, Math.max(0, share)) * HEAT_LEVELS);
    return element("span", { class: `heat-${level}` }, content);
  }
  function stackedBar(parts) {
    const nodes = parts.map(({ share, kind }) => {
      const part = element("span", { class: kind });
      part.style.flexGrow = share;
      return part;
    });
    return element("span", { class: "stack", "aria-hidden": "true" }, nodes);
  }

  // assets/run/families.js
  function familiesOf(report) {
    return grouped(report, (run) => run.families, ({ name, role, note }, suite) => ({ label: suite ? `${suite}: ${name}` : name, role, note, isMean: false }));
  }
  function rolesOf(report) {
    return grouped(report, (run) => run.roles, ({ role }, suite) => ({
      label: `Mean of ${role} families${suite ? `, ${suite}` : ""}`,
      role,
      note: "",
      isMean: true
    }));
  }
  function entriesOf(groups) {
    return groups.flatMap(({ entries }) => entries);
  }
  function nothingFinished() {
    return paragraph("faint", "No loop has finished yet.");
  }
  function grouped(report, familiesIn, describe) {
    const groups = new Map;
    report.runs.forEach((run, position) => {
      for (const family of familiesIn(run)) {
        const group = describe(family, report.several_suites ? run.suite.name : null);
        const key = `${run.suite.digest} ${group.label}`;
        if (!groups.has(key))
          groups.set(key, { ...group, entries: [] });
        const name = report.runs.length > 1 ? `${group.label}, ${run.label}` : group.label;
        groups.get(key).entries.push({ run, position, name, family });
      }
    });
    return [...groups.values()];
  }

  // assets/run/behaviour.js
  var ENDS = ["solved", "step_limit", "env_ended", "died", "failed"];
  var BEHAVIOUR_COLUMNS = [
    "family",
    "invalid actions, base",
    "invalid actions, best",
    "episodes failed by the model",
    "reflections not used",
    "prompt bytes",
    "prompt change per turn",
    "change after an all-solved batch",
    "starts shared"
  ];
  function behaviourSection(report) {
    const entries = entriesOf(familiesOf(report));
    return section("behaviour", "Behaviour", dataTable({
      caption: "Actor and reflector by family",
      columns: BEHAVIOUR_COLUMNS,
      rows: entries.map(({ name, family: { behaviour, loops } }) => [
        name,
        ...behaviour ? behaviourCells(behaviour, loops) : Array(BEHAVIOUR_COLUMNS.length - 1).fill("…")
      ])
    }), dataTable({
      caption: "How test episodes under the best prompts ended",
      columns: ["family", "share", ...ENDS.map(words)],
      rows: entries.map(({ name, family: { behaviour } }) => [
        name,
        ...behaviour ? endCells(behaviour.ends) : Array(1 + ENDS.length).fill("…")
      ])
    }));
  }
  function behaviourCells(behaviour, loops) {
    const reflections = loops.reduce((sum, loop) => sum + loop.prompts.length - 1, 0);
    return [
      estimate(behaviour.invalid_base, percent),
      estimate(behaviour.invalid_best, percent),
      countsByKind(behaviour.failed),
      `${countsByKind(behaviour.reflection_failures)} of ${count(reflections)}`,
      count(Math.round(behaviour.prompt_bytes)),
      percent(behaviour.prompt_change),
      percent(behaviour.prompt_change_after_solved),
      percent(behaviour.starts_shared)
    ];
  }
  function countsByKind(counts) {
    const parts = Object.entries(counts).map(([kind, number]) => `${count(number)} ${words(kind)}`);
    return parts.length ? parts.join(", ") : "0";
  }
  function endCells(ends) {
    const total = Object.values(ends).reduce((sum, number) => sum + number, 0);
    const parts = ENDS.filter((end) => ends[end]).map((end) => ({ share: ends[end] / total, kind: `end-${end}` }));
    return [stackedBar(parts), ...ENDS.map((end) => count(ends[end] ?? 0))];
  }

  // assets/run/cost.js
  var COUNTS = {
    calls: "calls",
    input_tokens: "input tokens",
    output_tokens: "output tokens",
    cached_tokens: "cached",
    reasoning_tokens: "reasoning",
    cache_hits: "replies from cache"
  };
  var TOKEN_BYTES = 4;
  function costSection(report) {
    const several = report.runs.length > 1;
    const calling = report.runs.filter(hasCalls);
    const silent = report.runs.filter((run) => !calling.includes(run));
    const rows = calling.flatMap((run) => [
      ...Object.entries(run.cost).map(([role, usage]) => usageRow(role, usage, run, several)),
      ...run.added_bytes ? [memoryRow(run, several)] : [],
      usageRow("all roles", totalUsage(run.cost), run, several),
      usageRow("paid for, with repetitions", run.spent, run, several)
    ]);
    return section("cost", "Cost", silent.map((run) => paragraph("note", `${several ? `${run.label}: no` : "No"} calls to language models.`)), rows.length ? dataTable({
      caption: "Calls, tokens and money by role",
      columns: ["role", "share of tokens", ...Object.values(COUNTS), "cost"],
      rows
    }) : null);
  }
  function hasCalls(run) {
    const total = totalUsage(run.cost);
    return run.spent.calls || total.calls || total.cache_hits;
  }
  function usageRow(role, usage, run, several) {
    const total = tokens(totalUsage(run.cost));
    const share = total ? Math.min(1, tokens(usage) / total) : 0;
    return [
      several ? `${run.label}: ${role}` : role,
      stackedBar([{ share, kind: "tokens" }]),
      ...Object.keys(COUNTS).map((name) => atLeast(name.endsWith("_tokens") && usage.unreported, count(usage[name]))),
      usage.cost === null && usage.cost_at_least ? atLeast(true, money(usage.cost_at_least)) : money(usage.cost)
    ];
  }
  function memoryRow(run, several) {
    const estimate = Math.round(Object.values(run.added_bytes).reduce((sum, size) => sum + size, 0) / TOKEN_BYTES);
    const total = tokens(totalUsage(run.cost));
    const label = "of these, added by memories (estimate)";
    return [
      several ? `${run.label}: ${label}` : label,
      stackedBar([{ share: total ? Math.min(1, estimate / total) : 0, kind: "tokens" }]),
      ...Object.keys(COUNTS).map((name) => name === "input_tokens" ? `≈ ${count(estimate)}` : ""),
      ""
    ];
  }
  function atLeast(isBound, text) {
    return isBound ? `≥ ${text}` : text;
  }
  function tokens(usage) {
    return usage.input_tokens + usage.output_tokens;
  }
  function totalUsage(cost) {
    const usages = Object.values(cost);
    const sums = Object.keys(COUNTS).map((name) => [name, usages.reduce((sum, usage) => sum + usage[name], 0)]);
    const isKnown = usages.every((usage) => usage.cost !== null);
    const least = usages.reduce((sum, usage) => sum + (usage.cost ?? usage.cost_at_least ?? 0), 0);
    const unreported = usages.reduce((sum, usage) => sum + (usage.unreported ?? 0), 0);
    return { ...Object.fromEntries(sums), unreported, cost: isKnown ? least : null, cost_at_least: least };
  }

  // assets/chunks.js
  var CACHE_SIZE = 6;
  var cache = new Map;
  function episodeLocator(index) {
    const positions = new Map(index.keys.map((key, position) => [key, position]));
    return (key) => positions.get(key);
  }
  async function loadEpisode(position, chunkSize, chunkId) {
    return withActions(await loadEntry(position, chunkSize, chunkId));
  }
  async function loadEntry(position, chunkSize, chunkId) {
    const entries = await loadChunk(chunkId(Math.floor(position / chunkSize)));
    return entries[position % chunkSize];
  }
  async function loadChunk(id) {
    if (!cache.has(id)) {
      await documentParsed();
      cache.set(id, decompress(document.getElementById(id).textContent));
      if (cache.size > CACHE_SIZE)
        cache.delete(cache.keys().next().value);
    }
    return cache.get(id);
  }
  function documentParsed() {
    if (document.readyState !== "loading")
      return Promise.resolve();
    return new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
  }
  async function decompress(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }
  function withActions(episode) {
    let actions = [];
    const steps = episode.steps.map((step) => ({ ...step, actions: actions = step.actions ?? actions }));
    return { ...episode, steps };
  }

  // assets/run/episode-groups.js
  function episodeGroups(run) {
    return run.families.flatMap((family) => family.loops.flatMap((loop) => loopGroups(family.name, loop)));
  }
  function loopGroups(family, loop) {
    const last = loop.prompts.length - 1;
    const roles = (index) => [index === 0 && "base", index === loop.best && "best", index === last && "last"].filter(Boolean).join(", ");
    const group = (name, index, tasks, outcomes, digests = null) => ({
      family,
      loop: loop.index,
      name,
      episodes: playedEpisodes(tasks, outcomes, digests ?? tasks.map(() => loop.prompts[index].digest))
    });
    const name = (pool, index) => `${pool}, prompt[${index}]${roles(index) ? ` (${roles(index)})` : ""}`;
    return [
      ...loop.batches.map(({ tasks, outcomes, prompts }, index) => group(`experience, turn ${index + 1}`, index, tasks, outcomes, prompts)).filter(({ episodes }) => episodes.length),
      ...Object.entries(loop.test).map(([index, outcomes]) => group(name("test", Number(index)), Number(index), loop.test_tasks, outcomes)),
      ...loop.selection.map((outcomes, index) => group(name("selection", index), index, loop.selection_tasks, outcomes)),
      ...loop.audit.flatMap(({ replayed, fresh }, index) => [
        group(`audit of turn ${index + 1}, same batch, prompt[${index + 1}]`, index + 1, loop.batches[index].tasks, replayed),
        group(`audit of turn ${index + 1}, next batch, prompt[${index}]`, index, loop.batches[index + 1].tasks, fresh)
      ]),
      ...onlineGroups(loop, group)
    ];
  }
  function onlineGroups(loop, group) {
    const under = { 0: loop.online?.base ?? [], [loop.best]: loop.online?.best ?? [] };
    return Object.entries(under).flatMap(([index, turns]) => turns.map((outcomes, turn) => group(`online, turn ${turn + 1}, prompt[${index}]`, Number(index), loop.batches[turn].tasks, outcomes)));
  }
  function playedEpisodes(tasks, outcomes, digests) {
    const repeats = outcomes.length / tasks.length;
    return [...outcomes].map((outcome, position) => {
      const index = Math.floor(position / repeats);
      const task = tasks[index];
      const replicate = position % repeats;
      return {
        task,
        key: `${task}@${digests[index]}${replicate ? `.${replicate}` : ""}`,
        solved: outcome === "1",
        repeat: repeats > 1 ? replicate + 1 : null
      };
    });
  }

  // assets/run/episode-library.js
  function episodeLibrary(report, { onlyStored = false } = {}) {
    const runs = report.runs.filter((run) => run.families.some(({ loops }) => loops.length));
    const locators = new Map(report.runs.map((run) => [run, episodeLocator(run.episodes)]));
    const groups = new Map(runs.map((run) => [run, onlyStored ? storedGroups(episodeGroups(run), locators.get(run)) : episodeGroups(run)]));
    return {
      runs,
      several: report.runs.length > 1,
      groups: (run) => groups.get(run),
      position: (run, key) => locators.get(run)(key),
      load: (run, key) => load2(report, run, locators.get(run)(key), key),
      sameTask: (run, key) => sameTask(runs, groups, locators, run, key)
    };
  }
  function storedGroups(groups, locate) {
    return groups.map((group) => ({ ...group, episodes: group.episodes.filter(({ key }) => locate(key) !== undefined) })).filter(({ episodes }) => episodes.length);
  }
  async function load2(report, run, position, key) {
    if (position === undefined)
      throw new Error(`${key} is not stored in this page`);
    const number = report.runs.indexOf(run);
    return loadEpisode(position, run.episodes.chunk_size, (chunk) => `chunk-${number}-${chunk}`);
  }
  function sameTask(runs, groups, locators, run, key) {
    const task = taskOf(key);
    const matches = new Map;
    for (const other of runs.filter((each) => each.suite.digest === run.suite.digest)) {
      for (const { name, episodes } of groups.get(other)) {
        for (const episode of episodes.filter((each) => each.task === task)) {
          const id = `${runs.indexOf(other)} ${episode.key}`;
          const isSame = other === run && episode.key === key;
          const isStored = locators.get(other)(episode.key) !== undefined;
          if (isStored && !isSame && !matches.has(id))
            matches.set(id, { run: other, key: episode.key, name });
        }
      }
    }
    return [...matches.values()];
  }
  function taskOf(key) {
    return key.slice(0, key.lastIndexOf("@"));
  }

  // assets/run/episode-list.js
  var FILTERS = {
    all: () => true,
    solved: ({ solved }) => solved,
    "not solved": ({ solved }) => !solved,
    "with invalid actions": ({ invalid }) => invalid > 0
  };
  function episodeList(library, open) {
    const list = element("ul", { class: "tasks", "aria-label": "Episodes" });
    const run = picker("Run", library.runs.map(({ label }, index) => [index, label]), showFamilies);
    const family = picker("Family", [], showLoops);
    const loop = picker("Loop", [], showPurposes);
    const purpose = picker("Purpose", [], showTasks);
    const filter = picker("Show", Object.keys(FILTERS), showTasks);
    const selectedRun = () => library.runs[run.select.value];
    const groupsOfFamily = () => library.groups(selectedRun()).filter((group) => group.family === family.select.value);
    const groupsOfLoop = () => groupsOfFamily().filter((group) => String(group.loop) === loop.select.value);
    function showFamilies() {
      setValues(family, library.groups(selectedRun()).map((group) => group.family));
      showLoops();
    }
    function showLoops() {
      setValues(loop, groupsOfFamily().map((group) => group.loop));
      showPurposes();
    }
    function showPurposes() {
      setValues(purpose, groupsOfLoop().map(({ name }) => name));
      showTasks();
    }
    function showTasks() {
      const group = groupsOfLoop().find(({ name }) => name === purpose.select.value);
      const episodes = group.episodes.map((episode) => ({ ...episode, ...summary(library, selectedRun(), episode.key) }));
      const items = episodes.filter(FILTERS[filter.select.value]).map((episode) => item(episode, () => open(selectedRun(), episode.key)));
      list.replaceChildren(...items.length ? items : [element("li", { class: "faint" }, "None.")]);
    }
    showFamilies();
    const pickers = [library.several ? run.node : null, family.node, loop.node, purpose.node, filter.node];
    return element("div", {}, element("div", { class: "pickers" }, pickers), list);
  }
  function setValues({ select }, values) {
    setOptions(select, [...new Set(values)]);
  }
  function summary(library, run, key) {
    const position = library.position(run, key);
    if (position === undefined)
      return { text: "not stored in this page", isStored: false, invalid: 0 };
    const { ends, decisions, invalid } = run.episodes;
    return {
      text: `${words(ends[position])}, ${counted(decisions[position], "decision")}`,
      isStored: true,
      invalid: invalid[position]
    };
  }
  function item({ task, key, solved, repeat, text, isStored }, click) {
    const attributes = {
      type: "button",
      class: `outcome ${solved ? "good" : "bad"}`,
      disabled: !isStored,
      "data-key": key,
      click
    };
    const name = repeat ? `${task}, repeat ${repeat}` : task;
    return element("li", {}, element("button", attributes, element("strong", {}, name), element("span", {}, text)));
  }

  // assets/player-views.js
  var MAX_SCREEN_COLUMNS = 100;
  var ENDS2 = {
    solved: "Solved",
    died: "Died",
    env_ended: "Ended by the environment, not solved",
    step_limit: "Step limit reached, not solved",
    failed: "Model failure"
  };
  var FAILURES = {
    bad_request: "the request was rejected",
    context_overflow: "the episode exceeded the context window",
    refused: "the model refused to answer",
    empty: "the answer was empty",
    truncated: "the answer was cut off",
    timeout: "the model took too long"
  };
  function endText({ end, failure }) {
    return failure ? `${ENDS2[end]}: ${FAILURES[failure] ?? failure}` : ENDS2[end] ?? end;
  }
  function screenView(text) {
    const isProse = text.split(`
`).some((line) => line.length > MAX_SCREEN_COLUMNS);
    return element("pre", {
      class: isProse ? "screen prose" : "screen",
      tabindex: 0,
      role: "group",
      "aria-label": "Screen as the actor saw it"
    }, text.replace(/\n+$/, ""));
  }
  function endView(episode) {
    const { steps, reward, progress, usage } = episode;
    const facts = [counted(steps.length, "decision"), `total reward ${rounded(reward)}`, `seed ${episode.seed}`];
    if (progress !== undefined)
      facts.push(`progress ${rounded(progress)}`);
    if (usage.calls)
      facts.push(`${count(usage.calls)} calls`, `${usage.unreported ? "≥ " : ""}${count(usage.input_tokens + usage.output_tokens)} tokens`);
    return paragraph("ending", element("strong", { class: episode.end === "solved" ? "good" : "bad" }, endText(episode)), ` · ${facts.join(" · ")}`);
  }
  function addedView({ added }) {
    if (!added)
      return null;
    return element("details", { class: "added", open: true }, element("summary", {}, "Added to the prompt from the memory"), element("div", { class: "prompt-text" }, added));
  }
  function decisionView(episode, frame) {
    const step = episode.steps[frame];
    if (!step)
      return paragraph("decision", `The episode has ended. ${endText(episode)}.`);
    const facts = [
      [
        "Thought",
        step.thought ? paragraph("thought", step.thought) : element("span", { class: "faint" }, "none recorded")
      ],
      ["Proposed", step.proposed === null ? element("em", {}, "no action") : element("code", {}, step.proposed)],
      [
        "Executed",
        step.executed === null ? element("strong", { class: "bad" }, "invalid: nothing happened") : element("code", {}, step.executed)
      ],
      ["Reward", rounded(step.reward)],
      [
        "Further keys",
        step.keys.length ? step.keys.map((key) => element("kbd", {}, keyName(key))) : element("span", { class: "faint" }, "none")
      ]
    ];
    return element("div", {}, definitionList("decision", facts), availableActions(step));
  }
  function availableActions({ actions, executed }) {
    return element("details", { class: "available-actions" }, element("summary", {}, counted(actions.length, "available action")), element("p", {}, actions.map((action) => [element("code", { class: action === executed ? "chosen" : null }, action), " "])));
  }
  function frameText(episode, frame) {
    const step = episode.steps[frame];
    const total = episode.steps.length;
    if (!step)
      return `End, after ${counted(total, "decision")}: ${endText(episode)}`;
    const proposed = step.proposed === null ? "no action" : visible(step.proposed);
    const result = step.executed === null ? `proposed ${proposed}, which is invalid` : `executed ${visible(step.executed)}`;
    return `Decision ${frame + 1} of ${total}: ${result}, reward ${rounded(step.reward)}`;
  }
  function rounded(value) {
    return String(Math.round(value * 1000) / 1000);
  }
  function decisionList(episode, goto) {
    const items = [...episode.steps, null].map((step, index) => {
      const name = step ? step.proposed ?? "(no action)" : "end";
      const kind = step && step.executed === null ? "invalid" : null;
      return element("li", {}, element("button", { type: "button", class: kind, click: () => goto(index) }, name));
    });
    return element("ol", { class: "decisions", "aria-label": "All decisions" }, items);
  }
  function markCurrent(list, frame) {
    [...list.children].forEach(({ firstChild: button }, index) => {
      if (index === frame)
        button.setAttribute("aria-current", "step");
      else
        button.removeAttribute("aria-current");
    });
  }

  // assets/transport.js
  var FRAME_MILLISECONDS = 400;
  function transport(last, goto) {
    let current = 0;
    let timer = null;
    const slider = element("input", {
      type: "range",
      min: 0,
      max: last,
      value: 0,
      "aria-label": "Decision",
      input: () => move(Number(slider.value))
    });
    const playButton = element("button", { type: "button", click: () => timer ? stop() : play() }, "Play");
    const backward = [
      iconButton("First", "M3 3v10M13 3 6 8l7 5z", () => move(0)),
      iconButton("Back", "M12 3 5 8l7 5z", () => move(current - 1))
    ];
    const forward = [
      iconButton("Forward", "M4 3l7 5-7 5z", () => move(current + 1)),
      iconButton("End", "M13 3v10M3 3l7 5-7 5z", () => move(last))
    ];
    const node = element("div", { class: "transport" }, backward, forward, playButton, slider);
    function move(frame) {
      stop();
      goto(frame);
    }
    function play() {
      if (current === last)
        goto(0);
      playButton.textContent = "Pause";
      timer = setInterval(() => {
        if (current === last || !node.isConnected)
          stop();
        else
          goto(current + 1);
      }, FRAME_MILLISECONDS);
    }
    function stop() {
      clearInterval(timer);
      timer = null;
      playButton.textContent = "Play";
    }
    function show(frame, text) {
      current = frame;
      slider.value = frame;
      slider.setAttribute("aria-valuetext", text);
      backward.forEach((button) => setDisabled(button, frame === 0));
      forward.forEach((button) => setDisabled(button, frame === last));
    }
    return { node, show, stop };
  }
  function iconButton(name, shape, click) {
    const icon = svgElement("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, svgElement("path", { d: shape }));
    return element("button", { type: "button", "aria-label": name, title: name, click }, icon);
  }
  function setDisabled(button, disabled) {
    button.setAttribute("aria-disabled", String(disabled));
  }

  // assets/player.js
  function player(episode, { title, onstep = () => {} }) {
    const last = episode.steps.length;
    const heading = uniqueId("player");
    const screen = element("div", { class: "screen-place" });
    const decision = element("div", { class: "decision-place" });
    const status = element("p", { class: "status", role: "status" });
    const controls = transport(last, goto);
    const decisions = decisionList(episode, (frame) => interrupt(frame));
    const node = element("section", { class: "player", tabindex: 0, "aria-labelledby": heading, keydown: onKey }, element("h3", { id: heading }, title), endView(episode), addedView(episode), controls.node, status, element("div", { class: "frame" }, screen, decision), decisions);
    let current = 0;
    function onKey(event) {
      const target = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: last }[event.key];
      if (target === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey)
        return;
      event.preventDefault();
      interrupt(target);
    }
    function interrupt(frame) {
      controls.stop();
      goto(frame);
    }
    function goto(frame) {
      show(frame);
      onstep(current);
    }
    function show(frame) {
      current = Math.min(Math.max(frame, 0), last);
      const step = episode.steps[current];
      screen.replaceChildren(screenView(step ? step.observation : episode.last));
      decision.replaceChildren(decisionView(episode, current));
      status.textContent = frameText(episode, current);
      controls.show(current, status.textContent);
      markCurrent(decisions, current);
    }
    show(0);
    return { node, show };
  }

  // assets/run/episode-stage.js
  function episodeStage(library) {
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
        const players = episodes.map((episode, index) => player(episode, {
          title: titleOf(shown[index], episode.key),
          onstep: (frame) => players.forEach((each) => each.show(frame))
        }));
        node.replaceChildren(others.length ? element("div", { class: "pickers" }, second.node) : "", element("div", { class: "players" }, players.map((each) => each.node)));
      } catch (error) {
        node.replaceChildren(errorNote(`Cannot decompress this episode: ${error.message}`));
      }
    }
    function titleOf({ run }, name) {
      return library.several ? `${run.label}: ${name}` : name;
    }
    return { node, open };
  }

  // assets/run/episodes.js
  function episodesSection(report, options = {}) {
    const library = episodeLibrary(report, options);
    const { node: stage, open } = episodeStage(library);
    const notes = report.runs.map(({ label, episodes }) => library.several ? `${label}: ${episodes.note}` : episodes.note);
    const node = section("episodes", "Episodes", notes.map((note) => paragraph("faint", note)), library.runs.some((run) => library.groups(run).length) ? episodeList(library, open) : null, paragraph("faint", "Keys in the player: ← previous decision, → next decision, Home first decision, End last screen."), stage);
    return { node, open };
  }

  // assets/run/experience.js
  function experienceTable(entries) {
    const measured = entries.filter(({ family }) => family.measures?.stream);
    if (!measured.length)
      return null;
    const turns = range(Math.max(...measured.map(({ family }) => family.measures.stream.length)));
    const compared = measured.some(({ family }) => family.measures.online);
    const table = dataTable({
      caption: "Success rate on the experience tasks of each turn, with a 95 % interval if there are at least 3 loops." + (compared ? " Gain: all turns, minus the same tasks under prompt[0]. Regret: the same tasks under the best prompt, minus " + "all turns; the best prompt was written from some of these tasks." : ""),
      columns: ["family", "prompt", ...turns.map((turn) => `turn ${turn + 1}`), ...compared ? ["gain", "regret"] : []],
      rows: measured.flatMap(({ name, family: { measures } }) => rowsOf(name, measures, turns, compared))
    });
    return element("div", {}, element("h3", {}, "Success while learning"), table);
  }
  function rowsOf(name, { stream, online }, turns, compared) {
    const row = (prompt, rates, ...differences) => [
      name,
      prompt,
      ...turns.map((turn) => turn < rates.length ? estimate(rates[turn]) : MISSING),
      ...compared ? differences : []
    ];
    if (!online)
      return [row("of the turn", stream, MISSING, MISSING)];
    return [
      row("of the turn", stream, estimate(online.gain, signed), estimate(online.regret, signed)),
      row("prompt[0]", online.base, MISSING, MISSING),
      row("best", online.best, MISSING, MISSING)
    ];
  }

  // assets/chart.js
  var COLOURS = 6;
  var SHAPES = [
    (r) => `m${-r} 0a${r} ${r} 0 1 1 ${2 * r} 0a${r} ${r} 0 1 1 ${-2 * r} 0Z`,
    (r) => `m${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}Z`,
    (r) => `m0 ${-1.35 * r}l${1.35 * r} ${1.35 * r}l${-1.35 * r} ${1.35 * r}l${-1.35 * r} ${-1.35 * r}Z`
  ];
  var LINE_HEIGHT = 12;
  var CHARACTER_WIDTH = 6.2;
  var MARK_GAP = 8;
  var MAX_LABEL_LENGTH = 28;
  var LABEL_SHIFTS = range(33).map((index) => (index % 2 ? 1 : -1) * Math.ceil(index / 2) / 2);
  var CLOSE_SHIFTS = 9;
  function seriesClass(position) {
    return `series-${position % COLOURS}`;
  }
  function legend(names, label) {
    if (names.length < 2)
      return null;
    const items = names.map((name, position) => element("li", { class: seriesClass(position) }, element("span", { class: "swatch" }), name));
    return element("ul", { class: "legend", "aria-label": label }, items);
  }
  function chart({ kind, title, description, width, height, margin, x = {}, y = {} }, draw) {
    const [top, right, bottom, left] = margin;
    const frame = { top, right: width - right, bottom: height - bottom, left };
    const plot = { frame, x: placement(x, frame.left, frame.right), y: placement(y, frame.bottom, frame.top) };
    const ids = [uniqueId("title"), uniqueId("description")];
    return svgElement("svg", {
      viewBox: `0 0 ${width} ${height}`,
      class: `chart ${kind}`,
      ...title ? { role: "img", "aria-labelledby": ids.join(" ") } : { "aria-hidden": "true" }
    }, title ? [svgElement("title", { id: ids[0] }, title), svgElement("desc", { id: ids[1] }, description)] : null, xAxis(plot, x, height), yAxis(plot, y), draw(plot));
  }
  function line(plot, [x1, y1], [x2, y2], kind) {
    const ends = { x1: plot.x(x1), y1: plot.y(y1), x2: plot.x(x2), y2: plot.y(y2) };
    return svgElement("line", { ...ends, class: kind });
  }
  function path(plot, positions, kind) {
    return svgElement("polyline", { points: corners(plot, positions), class: kind });
  }
  function band(plot, points, kind) {
    if (!points.length || points.some(({ low }) => low === null))
      return null;
    const upper = points.map(({ high }, x) => [x, high]);
    const lower = points.map(({ low }, x) => [x, low]).reverse();
    return svgElement("polygon", { points: corners(plot, [...upper, ...lower]), class: `band ${kind}` });
  }
  function mark(plot, [x, y], { position, text, data = {}, size = 3.2, kind = "" }) {
    const outline = `M${plot.x(x)} ${plot.y(y)}${SHAPES[position % SHAPES.length](size)}`;
    const attributes = Object.fromEntries(Object.entries(data).map(([name, value]) => [`data-${name}`, value]));
    const title = text ? svgElement("title", {}, text) : null;
    return svgElement("path", { d: outline, class: `mark ${seriesClass(position)} ${kind}`, ...attributes }, title);
  }
  function bar(plot, top, thickness, { estimate, text, kind }) {
    const { value, low, high } = estimate;
    const start = plot.x(0);
    const box = { x: start, y: top + 1, width: rounded2(Math.max(0, plot.x(value) - start)), height: thickness - 5 };
    const below = top + thickness - 2;
    return [
      svgElement("rect", { ...box, class: `bar ${kind}`, "data-value": value }, svgElement("title", {}, text)),
      low === null ? null : line(plot, [low, below], [high, below], "whisker")
    ];
  }
  function label(x, y, text, kind = "") {
    return svgElement("text", { x: rounded2(x), y: rounded2(y), class: `label ${kind}` }, text);
  }
  function scatter(plot, points, lift = 0) {
    const intervals = points.filter(({ estimate }) => estimate.low !== null).map(({ x, estimate, kind }) => line(plot, [x, estimate.low], [x, estimate.high], `whisker ${kind}`));
    const marks = points.map(({ x, estimate, ...options }) => mark(plot, [x, estimate.value], options));
    return [intervals, marks, nameLabels(plot, points, lift)];
  }
  function nameLabels({ frame, ...plot }, points, lift) {
    const placed = points.map((point) => ({ ...point, x: plot.x(point.x), y: plot.y(point.estimate.value) }));
    const taken = placed.map(({ x, y }) => ({ start: x - 4, end: x + 4, middle: y }));
    const named = [...placed].sort((left, right) => (left.isMinor ?? false) - (right.isMinor ?? false) || left.y - right.y);
    return named.map(({ x, y, name, isOptional }) => {
      const text = shortened(visible(name));
      const width = CHARACTER_WIDTH * text.length;
      const fitsLeft = x - MARK_GAP - width >= frame.left;
      const start = fitsLeft ? x - MARK_GAP - width : Math.min(x + MARK_GAP, Math.max(frame.left, frame.right - width));
      const boxes = LABEL_SHIFTS.slice(0, isOptional ? CLOSE_SHIFTS : undefined).map((shift) => y - lift + shift * LINE_HEIGHT).filter((middle) => middle > frame.top && middle <= frame.bottom).map((middle) => ({ start, end: start + width, middle }));
      const free = boxes.find((box) => !taken.some((other) => overlap(box, other)));
      if (!free && isOptional)
        return null;
      const chosen = free ?? boxes[0];
      taken.push(chosen);
      return label(fitsLeft ? chosen.end : start, chosen.middle + 3.5, text, fitsLeft ? "end" : "");
    });
  }
  function placement({ domain, scale, inset = 0 }, start, end) {
    if (!domain)
      return rounded2;
    const direction = Math.sign(end - start);
    const [first, last] = [start + direction * inset, end - direction * inset];
    const share = scale ?? ((value) => (value - domain[0]) / (domain[1] - domain[0]));
    return (value) => rounded2(first + share(value) * (last - first));
  }
  function xAxis({ frame, x }, axis, height) {
    const grid = (tick) => ({ x1: x(tick), y1: frame.top, x2: x(tick), y2: frame.bottom });
    const tickLabel = (tick, text) => label(x(tick), frame.bottom + 15, text, "middle");
    return drawAxis(axis, grid, tickLabel, [(frame.left + frame.right) / 2, height - 3, "middle"]);
  }
  function yAxis({ frame, y }, axis) {
    const grid = (tick) => ({ x1: frame.left, y1: y(tick), x2: frame.right, y2: y(tick) });
    const tickLabel = (tick, text) => label(frame.left - 6, y(tick) + 3.5, text, "end");
    return drawAxis(axis, grid, tickLabel, [0, frame.top - 12, ""]);
  }
  function drawAxis({ ticks = [], format, title, grid }, gridLine, tickLabel, [titleX, titleY, alignment]) {
    return [
      grid ? ticks.map((tick) => svgElement("line", { ...gridLine(tick), class: tick === 0 ? "axis" : "grid" })) : null,
      format ? ticks.map((tick) => tickLabel(tick, format(tick))) : null,
      title ? label(titleX, titleY, title, `faint ${alignment}`) : null
    ];
  }
  function corners(plot, positions) {
    return positions.map(([x, y]) => `${plot.x(x)},${plot.y(y)}`).join(" ");
  }
  function overlap(box, other) {
    const isBeside = box.start >= other.end || box.end <= other.start;
    return !isBeside && Math.abs(box.middle - other.middle) < LINE_HEIGHT;
  }
  function shortened(text) {
    return text.length > MAX_LABEL_LENGTH ? `${text.slice(0, MAX_LABEL_LENGTH - 1)}…` : text;
  }
  function rounded2(value) {
    return Math.round(value * 100) / 100;
  }

  // assets/run/gain-chart.js
  function gainChart({ title, families }) {
    const points = families.map((family) => ({
      x: 1 - family.base,
      estimate: family.gain,
      name: family.label,
      position: family.position,
      kind: seriesClass(family.position),
      text: sentence(family),
      data: { headroom: 1 - family.base, gain: family.gain.value },
      size: 4
    }));
    return chart({
      kind: "gain",
      title,
      description: families.map((family) => `${sentence(family)}.`).join(" "),
      width: 420,
      height: 330,
      margin: [22, 12, 34, 38],
      x: { domain: [0, 1], ticks: [0, 0.5, 1], format: String, title: "headroom (1 − base)" },
      y: gainAxis(families)
    }, (plot) => [line(plot, [0, 0], [1, 1], "ceiling"), scatter(plot, points)]);
  }
  function gainAxis(items) {
    const lowest = Math.min(0, ...items.map(({ gain }) => gain.low ?? gain.value));
    const bottom = Math.floor(lowest * 4) / 4;
    const ticks = [1, 0.5, 0, -0.5, -1].filter((tick) => tick >= bottom);
    return { domain: [bottom, 1], ticks, format: (tick) => signed(tick, 1), title: "gain", grid: true };
  }
  function sentence({ label: name, base, gain }) {
    return `${name}: headroom ${number(1 - base)}, gain ${estimate(gain, signed)}`;
  }

  // assets/learning-curve.js
  function learningCurve({ title, series, pool = "selection" }) {
    const turns = Math.max(1, ...series.map(({ points }) => points.length - 1));
    const each = (draw) => series.map((curve) => draw(curve, seriesClass(curve.position)));
    return chart({
      kind: "curve",
      title,
      description: description(series),
      width: 340,
      height: 212,
      margin: [26, 8, 34, 30],
      x: { domain: [0, turns], inset: 6, ticks: promptTicks(turns), format: String, title: "prompt" },
      y: { domain: [0, 1], ticks: [0, 0.5, 1], format: String, title: `success rate, ${pool} tasks`, grid: true }
    }, (plot) => [
      each(({ points }, kind) => band(plot, points, kind)),
      each(({ loops = [] }, kind) => loops.map((values) => curve(plot, values, `loop ${kind}`))),
      each(({ points }, kind) => curve(plot, valuesOf(points), `line ${kind}`)),
      each(({ name, points, position }) => points.map((point, x) => curvePoint(plot, x, point, name, position)))
    ]);
  }
  function valuesOf(points) {
    return points.map(({ value }) => value);
  }
  function curve(plot, values, kind) {
    return path(plot, [...values.entries()], kind);
  }
  function curvePoint(plot, x, point, name, position) {
    const text = `${name}, prompt[${x}]: ${estimate(point)}`;
    return mark(plot, [x, point.value], { position, text, data: { prompt: x, value: point.value } });
  }
  function promptTicks(turns) {
    const step = turns > 20 ? 5 : turns > 12 ? 2 : 1;
    return range(Math.floor(turns / step) + 1).map((index) => index * step);
  }
  function description(series) {
    return series.map(({ name, points }) => {
      if (!points.length)
        return `${name}: no finished loop.`;
      const last = points.length - 1;
      return `${name}: from ${estimate(points[0])} under prompt[0] to ${estimate(points[last])} under prompt[${last}].`;
    }).join(" ");
  }

  // assets/run/bar-chart.js
  var WIDTH = 340;
  var MARGIN2 = [0, 36, 34, 34];
  var [BAR_HEIGHT, GAP2] = [12, 8];
  function barChart({ title, groups }) {
    const top = (index) => 4 + groups.slice(0, index).reduce((sum, { bars }) => sum + bars.length * BAR_HEIGHT + GAP2, 0);
    const x = { domain: [0, 1], ticks: [0, 0.5, 1], format: String, title: "success rate, test tasks", grid: true };
    const height = top(groups.length) + MARGIN2[2];
    return chart({ kind: "bars", title, description: description2(groups), width: WIDTH, height, margin: MARGIN2, x }, (plot) => groups.map((group, index) => barGroup(plot, group, top(index))));
  }
  function barGroup(plot, { name, bars }, top) {
    const center = top + bars.length * BAR_HEIGHT / 2;
    return [
      label(plot.frame.left - 6, center + 3.5, name, "end"),
      bars.map(({ name: run, position, ...measure }, index) => {
        const start = top + index * BAR_HEIGHT;
        const text = `${run}, ${name}: ${estimate(measure)}`;
        return [
          bar(plot, start, BAR_HEIGHT, { estimate: measure, text, kind: `${name} ${seriesClass(position)}` }),
          label(plot.frame.right + 6, start + BAR_HEIGHT / 2 + 3.5, number(measure.value))
        ];
      })
    ];
  }
  function description2(groups) {
    return groups.flatMap(({ name, bars }) => bars.map((each) => `${each.name}, ${name}: ${estimate(each)}.`)).join(" ");
  }

  // assets/run/learning-curves.js
  function learningCurvesSection(report) {
    const groups = [...rolesOf(report), ...familiesOf(report)];
    const several = report.runs.length > 1;
    return section("success", "Learning curves", paragraph("lead", "Curves: success rate of each prompt on selection tasks, with a 95 % interval if there are at least 3 loops" + (several ? ". " : "; thin lines are single loops. ") + "Bars: success rate on test tasks under the first (base), the best and the last prompt."), runLegend(report), element("div", { class: "panels" }, groups.map((group) => panel(group, several))), foldedTable(curveTable(entriesOf(groups))));
  }
  function runLegend(report) {
    return legend(report.runs.map(({ label }) => label), "Runs");
  }
  function panel(group, several) {
    const measured = group.entries.filter(({ family }) => family.measures);
    const unfinished = group.entries.filter(({ family }) => !family.measures);
    return element("article", { class: "panel", "aria-label": group.label }, element("h3", {}, group.label, group.isMean ? null : element("span", { class: "tag" }, group.role)), measured.length ? charts(group, measured, several) : nothingFinished(), measured.length ? unfinished.map(({ run }) => paragraph("faint", `${run.label}: no loop has finished yet.`)) : null, group.note ? paragraph("faint", group.note) : null);
  }
  function charts({ label }, entries, several) {
    const series = entries.map(({ run, position, family }) => ({
      name: run.label,
      position,
      points: family.curve,
      loops: several ? [] : (family.loops ?? []).map((loop) => loop.selection.map(successRate))
    }));
    const groups = ["base", "best", "last"].map((name) => ({
      name,
      bars: entries.map(({ run, position, family }) => ({ name: run.label, position, ...family.measures[name] }))
    }));
    return [
      learningCurve({ title: `Learning curve, ${label}`, series }),
      barChart({ title: `Base, best and last, ${label}`, groups })
    ];
  }
  function curveTable(entries) {
    const indices = range(Math.max(0, ...entries.map(({ family }) => family.curve.length)));
    return {
      caption: "success rate on selection tasks by prompt",
      columns: ["family", ...indices.map(String)],
      rows: entries.map(({ name, family: { curve } }) => [
        name,
        ...indices.map((index) => index < curve.length ? estimate(curve[index]) : MISSING)
      ])
    };
  }

  // assets/run/progress.js
  function progressTable(entries) {
    const known = entries.filter(({ family }) => family.measures?.progress);
    if (!known.length)
      return null;
    const table = dataTable({
      caption: "Share of a test task that is done at the end of an episode, as the environment measures it; 1 if the task is " + "solved. The best prompt is chosen by success. 95 % intervals in brackets.",
      columns: ["family", "base", "best", "last", "gain"].map((name) => ({ name, node: name })),
      rows: known.map(({ name, family }) => {
        const { base, best, last, gain } = family.measures.progress;
        return [name, estimate(base), estimate(best), estimate(last), estimate(gain, signed)];
      })
    });
    return element("div", {}, element("h3", {}, "Progress"), table);
  }

  // assets/run/reliability.js
  var PROMPTS = ["base", "best", "last"];
  function reliabilityTable(entries) {
    const repeated = entries.filter(({ family }) => family.measures?.reliability);
    if (!repeated.length)
      return null;
    const most = Math.max(...repeated.map(({ family }) => family.measures.reliability.base.pass_k.length));
    const table = dataTable({
      caption: "pass^k: probability that k episodes of a task are all solved, with a 95 % interval if there are at least 3 " + "loops. Noise: share of the variance of episodes that lies between repeats of a task under one prompt.",
      columns: ["family", "prompt", ...range(most).map((index) => `pass^${index + 1}`), "noise"],
      rows: repeated.flatMap(({ name, family }) => PROMPTS.map((prompt) => [name, prompt, ...cells(family.measures.reliability[prompt], most)]))
    });
    return element("div", {}, element("h3", {}, "Reliability"), table);
  }
  function cells({ pass_k, noise }, most) {
    return [...range(most).map((index) => index < pass_k.length ? estimate(pass_k[index]) : MISSING), percent(noise)];
  }

  // assets/run/streams.js
  var PLACES = ["first", "second", "third", "fourth", "fifth", "sixth"];
  function streamsView(entries) {
    const mixed = entries.filter(({ family }) => family.measures?.mixed);
    if (!mixed.length)
      return null;
    const drawn = mixed.filter(({ family }) => family.measures.mixed.curves.length);
    const most = Math.max(0, ...drawn.map(({ family }) => family.measures.mixed.curves.length));
    return element("div", {}, element("h3", {}, "Families of the streams"), dataTable({
      caption: "Success on the test tasks of each family: under prompt[0] (base), under the prompt after its last task of the " + "experience (after), under prompt[N] (last). Forgetting: success before turns without a task of the family, " + "minus that after them. Forward transfer: success before its first task, minus base. 95 % intervals in brackets.",
      columns: ["stream", "family", "base", "after", "last", "forgetting", "forward transfer"],
      rows: mixed.flatMap(({ name, family: { measures } }) => rowsOf2(name, measures.mixed))
    }), legend(range(most).map(place), "Families, in the order in which a loop meets them"), element("div", { class: "panels" }, drawn.map(panel2)), foldedTable({
      caption: "success rate on test tasks by prompt, mean over loops",
      columns: ["stream", "family met", ...range(Math.max(0, ...drawn.map(prompts))).map(String)],
      rows: drawn.flatMap(({ name, family }) => family.measures.mixed.curves.map((curve, index) => [name, place(index), ...curve.map((rate) => number(rate))]))
    }));
  }
  function rowsOf2(stream, { families, forgetting, forward_transfer }) {
    const shown = (value, format) => value ? estimate(value, format) : MISSING;
    return [
      ...Object.entries(families).map(([name, one]) => [
        stream,
        name,
        ...[one.base, one.after, one.last].map((value) => shown(value)),
        ...[one.forgetting, one.forward_transfer].map((value) => shown(value, signed))
      ]),
      [stream, "mean", MISSING, MISSING, MISSING, shown(forgetting, signed), shown(forward_transfer, signed)]
    ];
  }
  function panel2({ name, family }) {
    const series = family.measures.mixed.curves.map((curve, position) => ({
      name: place(position),
      position,
      points: curve.map((value) => ({ value, low: null, high: null }))
    }));
    return element("article", { class: "panel", "aria-label": name }, element("h4", {}, name), learningCurve({ title: `Success by family, ${name}`, series, pool: "test" }));
  }
  function prompts({ family }) {
    return family.measures.mixed.curves[0].length;
  }
  function place(index) {
    return PLACES[index] ?? `number ${index + 1}`;
  }

  // assets/run/gains.js
  var SIGNED = ["gain", "last_gain", "headroom_gain", "over_blind", "overfitting_gap"];
  var OWN_VIEW = ["curve", "stream", "online", "mixed", "reliability", "progress"];
  var SHARES = ["negative_transfer", "negative_last_transfer"];
  function gainsSection(report) {
    const families = familiesOf(report);
    const entries = entriesOf([...families, ...rolesOf(report)]);
    return section("gains", "Gains", runLegend(report), element("div", { class: "two-columns" }, headroomFigure(families), bestPromptFigure(families)), element("h3", {}, "All measures"), dataTable(measuresTable(entries)), progressTable(entries), experienceTable(entries), streamsView(entries), reliabilityTable(entries));
  }
  function headroomFigure(families) {
    const measured = families.flatMap(({ label, entries }) => entries.filter(({ family }) => family.measures).map(({ position, name, family: { measures } }) => {
      const { base, gain } = measures;
      return { label, name, position, base: base.value, gain };
    }));
    return element("figure", {}, element("figcaption", {}, element("h3", {}, "Gain against headroom"), paragraph("faint", "Headroom: 1 − base, how far the success rate could rise. Gain: how far it rose. On the dashed line all of the " + "headroom is gained; vertical lines are 95 % intervals.")), measured.length ? gainChart({ title: "Gain against headroom", families: measured }) : nothingFinished(), foldedTable({
      caption: "headroom and gain",
      columns: ["family", "headroom", "gain"],
      rows: measured.map(({ name, base, gain }) => [name, number(1 - base), estimate(gain, signed)])
    }));
  }
  function bestPromptFigure(families) {
    const entries = entriesOf(families).filter(({ family }) => family.loops.length);
    const indices = range(Math.max(0, ...entries.map(({ family }) => family.loops[0].prompts.length)));
    return element("figure", { class: "heat" }, element("figcaption", {}, element("h3", {}, "Index of the best prompt"), paragraph("faint", "Number of loops whose best prompt has this index; of equally good prompts the earliest counts. Index 0 is " + "the suite’s own prompt: no later one was better.")), entries.length ? dataTable({
      caption: "loops by the index of their best prompt",
      columns: ["family", ...indices.map(String)],
      rows: entries.map(({ name, family }) => [name, ...indices.map((index) => bestPromptCell(family, index))]),
      hideCaption: true
    }) : nothingFinished());
  }
  function bestPromptCell({ loops }, index) {
    if (index >= loops[0].prompts.length)
      return "";
    const count = loops.filter((loop) => loop.best === index).length;
    return heatCell(count / loops.length, String(count));
  }
  function measuresTable(entries) {
    const names = [...new Set(entries.flatMap(({ family }) => Object.keys(family.measures ?? {})))].filter((name) => !OWN_VIEW.includes(name));
    return {
      caption: "Success rates on test tasks; AUC and W‑AUC on selection tasks; overfitting gap on experience tasks. 95 % " + "intervals in brackets.",
      columns: ["family", ...names.map(measureHeading)],
      rows: entries.map(({ name: entry, family: { measures } }) => [
        entry,
        ...names.map((name) => measures ? measureText(name, measures[name]) : "…")
      ])
    };
  }
  function measureHeading(name) {
    return words(name).replace("auc", "AUC").replace("w ", "W‑");
  }
  function measureText(name, value) {
    const format = SHARES.includes(name) ? percent : SIGNED.includes(name) ? signed : number;
    return value !== null && typeof value === "object" ? estimate(value, format) : format(value);
  }

  // assets/diff.js
  var MAX_CELLS = 4000000;
  function diffLines(before, after) {
    const lines = compare(before.split(`
`), after.split(`
`));
    const rows = [];
    for (let start = 0;start < lines.length; ) {
      const removed = streak(lines, start, "removed");
      const added = streak(lines, start + removed.length, "added");
      if (removed.length && removed.length === added.length) {
        const pairs = removed.map((line, index) => diffWords(line.item, added[index].item));
        rows.push(...pairs.map(([oldRow]) => oldRow), ...pairs.map(([, newRow]) => newRow));
      } else {
        rows.push(...[...removed, ...added].map(wholeLine));
      }
      start += removed.length + added.length;
      if (start < lines.length && lines[start].kind === "same") {
        rows.push(wholeLine(lines[start]));
        start += 1;
      }
    }
    return rows;
  }
  function wholeLine({ kind, item }) {
    return { kind, parts: [{ text: item, changed: false }] };
  }
  function streak(lines, start, kind) {
    let end = start;
    while (end < lines.length && lines[end].kind === kind)
      end += 1;
    return lines.slice(start, end);
  }
  function diffWords(before, after) {
    const words = compare(before.split(/(\s+)/), after.split(/(\s+)/));
    const side = (kind) => ({
      kind,
      parts: words.filter((word) => word.kind === "same" || word.kind === kind).map((word) => ({ text: word.item, changed: word.kind === kind }))
    });
    return [side("removed"), side("added")];
  }
  function compare(before, after) {
    let start = 0;
    while (start < before.length && start < after.length && before[start] === after[start])
      start += 1;
    let end = 0;
    while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end))
      end += 1;
    const [removed, added] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
    const middle = removed.length * added.length > MAX_CELLS ? replacement(removed, added) : alignment(removed, added);
    const same = (item) => ({ kind: "same", item });
    return [...before.slice(0, start).map(same), ...middle, ...before.slice(before.length - end).map(same)];
  }
  function replacement(before, after) {
    return [...before.map((item) => ({ kind: "removed", item })), ...after.map((item) => ({ kind: "added", item }))];
  }
  function alignment(before, after) {
    const width = after.length + 1;
    const length = new Uint32Array((before.length + 1) * width);
    for (let i = before.length - 1;i >= 0; i -= 1) {
      for (let j = after.length - 1;j >= 0; j -= 1) {
        length[i * width + j] = before[i] === after[j] ? length[(i + 1) * width + j + 1] + 1 : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
      }
    }
    const rows = [];
    let [i, j] = [0, 0];
    while (i < before.length && j < after.length) {
      if (before[i] === after[j])
        rows.push({ kind: "same", item: before[j += 1, i++] });
      else if (length[(i + 1) * width + j] >= length[i * width + j + 1])
        rows.push({ kind: "removed", item: before[i++] });
      else
        rows.push({ kind: "added", item: after[j++] });
    }
    return [...rows, ...replacement(before.slice(i), after.slice(j))];
  }

  // assets/diff-view.js
  var CONTEXT_LINES = 2;
  var SIGNS = { same: " ", removed: "−", added: "+" };
  var TAGS = { same: "span", removed: "del", added: "ins" };
  function diffView(before, after) {
    const rows = diffLines(before, after);
    const isNearChange = (index) => rows.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some((row) => row.kind !== "same");
    const nodes = [];
    let folded = 0;
    const closeFold = () => {
      if (folded)
        nodes.push(element("span", { class: "row fold" }, `  … ${counted(folded, "unchanged line")}`));
      folded = 0;
    };
    rows.forEach((row, index) => {
      if (!isNearChange(index)) {
        folded += 1;
        return;
      }
      closeFold();
      nodes.push(rowView(row));
    });
    closeFold();
    return element("div", { class: "diff" }, nodes);
  }
  function rowView({ kind, parts }) {
    const texts = parts.map(({ text, changed }) => changed ? element("mark", {}, text) : text);
    return element(TAGS[kind], { class: `row ${kind}` }, element("span", { class: "sign" }, SIGNS[kind]), element("span", {}, texts));
  }

  // assets/run/candidates.js
  function candidatesView({ run, loop }, several) {
    const { candidates } = loop;
    if (!candidates?.length)
      return null;
    const numbers = new Map(candidates.map(({ digest }, number) => [digest, number]));
    const scores = scoresOf(loop);
    const table = dataTable({
      caption: "Prompts that the optimiser tried, with their episodes among the experience tasks. Front: experience tasks for " + "which the prompt is on the Pareto front at the end.",
      columns: ["candidate", "first tried", "made from", "solved", "kept", "front", "prompt of the loop"],
      rows: candidates.map((candidate, number) => [
        name(number),
        candidate.turn ? `turn ${candidate.turn}` : "from the start",
        candidate.parents.map((parent) => name(numbers.get(parent))).join(", "),
        scoreText(scores.get(candidate.digest)),
        candidate.kept === null ? "no" : `turn ${candidate.kept}`,
        candidate.front.map((position) => `task ${position + 1}`).join(", "),
        promptsOf(candidate.digest, loop.prompts)
      ])
    });
    return element("div", { class: "turn" }, element("h3", {}, several ? `Candidates of ${run.label}` : "Candidates"), table, candidates.map((candidate, number) => changeOf(candidate, number, candidates, numbers)));
  }
  function candidateName({ candidates }, digest) {
    return name(candidates.findIndex((candidate) => candidate.digest === digest));
  }
  function name(number) {
    return `candidate ${number}`;
  }
  function scoresOf({ batches }) {
    const scores = new Map;
    for (const { prompts, outcomes } of batches) {
      for (const [position, digest] of (prompts ?? []).entries()) {
        const { played, solved } = scores.get(digest) ?? { played: 0, solved: 0 };
        scores.set(digest, { played: played + 1, solved: solved + Number(outcomes[position]) });
      }
    }
    return scores;
  }
  function scoreText(score) {
    return score ? `${score.solved} of ${score.played}` : "not played";
  }
  function promptsOf(digest, prompts) {
    return [...prompts.entries()].flatMap(([index, prompt]) => prompt.digest === digest ? [`[${index}]`] : []).join(" ");
  }
  function changeOf({ text, parents }, number, candidates, numbers) {
    const parent = candidates[numbers.get(parents[0])];
    if (!parent)
      return null;
    const heading = `${name(number)}, compared with ${name(numbers.get(parent.digest))}`;
    const change = text === parent.text ? paragraph("faint", "Unchanged.") : diffView(parent.text, text);
    return element("details", {}, element("summary", {}, heading), change);
  }

  // assets/run/memory.js
  var MAX_COMPARED = 20000;
  function memoryView(report, run, { prompts }, index) {
    const digest = prompts[index].memory;
    if (!digest)
      return null;
    const before = prompts[index - 1]?.memory;
    if (digest === before)
      return paragraph("faint", "Memory unchanged.");
    if (!run.memories?.keys.includes(digest))
      return paragraph("faint", `Its memory (${digest}) is not in this page.`);
    const place = element("div", {});
    const details = element("details", { class: "memory", toggle: open }, element("summary", {}, before ? "Memory, and its change" : "Memory"), place);
    let isShown = false;
    async function open() {
      if (isShown || !details.open)
        return;
      isShown = true;
      try {
        const [now, earlier] = await Promise.all([load3(report, run, digest), before ? load3(report, run, before) : null]);
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
  function load3(report, run, digest) {
    const position = episodeLocator(run.memories)(digest);
    const number = report.runs.indexOf(run);
    return loadEntry(position, run.memories.chunk_size, (chunk) => `memory-${number}-${chunk}`);
  }

  // assets/run/prompts.js
  function promptsSection(report, openEpisode) {
    const families = familiesOf(report).filter(({ entries }) => entries.some(({ family }) => family.loops.length));
    const turns = element("div", { class: "turns" });
    const family = picker("Family", families.map(({ label }, index) => [index, label]), showLoops);
    const loop = picker("Loop", [], showTurns);
    const opened = mostImproved(families);
    function showLoops() {
      const { entries } = families[family.select.value];
      const indices = new Set(entries.flatMap((entry) => entry.family.loops.map(({ index }) => index)));
      setOptions(loop.select, [...indices].sort((left, right) => left - right));
      showTurns();
    }
    function showTurns() {
      const columns = families[family.select.value].entries.map(({ run, position, family: { loops } }) => ({
        run,
        position,
        loop: loops.find(({ index }) => index === Number(loop.select.value))
      })).filter((column) => column.loop);
      const indices = range(Math.max(...columns.map((column) => column.loop.prompts.length)));
      turns.replaceChildren(...columns.map((column) => candidatesView(column, report.runs.length > 1)).filter(Boolean), ...indices.map((index) => turnView(index, columns, report, openEpisode)));
    }
    if (opened) {
      family.select.value = opened.family;
      showLoops();
      loop.select.value = opened.index;
      showTurns();
    }
    return section("prompts", "Prompts, turn by turn", families.length ? element("div", { class: "pickers" }, family.node, loop.node) : nothingFinished(), turns);
  }
  function mostImproved(families) {
    const loops = families.flatMap(({ role, entries }, position) => entries.flatMap(({ family }) => family.loops.map(({ index, best, test }) => ({
      family: position,
      index,
      isHeldOut: role === "held-out",
      gain: successRate(test[best]) - successRate(test[0])
    }))));
    return loops.sort((left, right) => right.isHeldOut - left.isHeldOut || right.gain - left.gain)[0] ?? null;
  }
  function turnView(index, columns, report, openEpisode) {
    const longEnough = columns.filter(({ loop }) => index < loop.prompts.length);
    const tag = index === 0 ? element("span", { class: "tag" }, "the suite’s own prompt") : null;
    return element("div", { class: "turn" }, element("h3", {}, `prompt[${index}]`, tag), element("div", { class: "columns" }, longEnough.map((column) => promptView(index, column, report, openEpisode))));
  }
  function promptView(index, { run, position, loop }, report, openEpisode) {
    const several = report.runs.length > 1;
    const prompt = loop.prompts[index];
    return element("article", { class: `prompt-version ${several ? seriesClass(position) : ""}`, "aria-label": `prompt[${index}], ${run.label}` }, several ? paragraph("run-name", element("span", { class: "swatch" }), run.label) : null, scoresView(index, loop), index > 0 ? batchView(index, run, loop, openEpisode) : null, loop.audit[index - 1] ? auditView(index, loop) : null, prompt.failure ? paragraph("bad", `The reflector’s answer was not used (${words(prompt.failure)}): prompt unchanged.`) : null, prompt.analysis ? element("blockquote", { class: "analysis" }, element("h4", {}, "The reflector’s analysis"), element("p", {}, prompt.analysis)) : null, index === 0 ? promptText(prompt.text) : changeView(loop.prompts[index - 1].text, prompt.text), memoryView(report, run, loop, index));
  }
  function scoresView(index, { selection, test, best, prompts }) {
    const facts = [`selection ${score(selection[index])}`];
    if (index in test)
      facts.push(`test ${score(test[index])}`);
    const tags = [index === best && "best", index === prompts.length - 1 && "last"].filter(Boolean);
    return paragraph("scores", facts.join(" · "), tags.map((tag) => element("span", { class: `tag ${tag}` }, tag)));
  }
  function score(outcomes) {
    return `${number(successRate(outcomes))} (${solvedCount(outcomes)} of ${outcomes.length})`;
  }
  function batchView(index, run, loop, openEpisode) {
    const { tasks, outcomes, prompts: chosen } = loop.batches[index - 1];
    const { digest } = loop.prompts[index - 1];
    const episodes = tasks.map((task, position) => {
      const isSolved = outcomes[position] === "1";
      const under = chosen ? `, ${candidateName(loop, chosen[position])}` : "";
      const text = `${task}${under}: ${isSolved ? "solved" : "not solved"}`;
      const key = `${task}@${chosen ? chosen[position] : digest}`;
      const kind = `outcome ${isSolved ? "good" : "bad"}`;
      if (!openEpisode)
        return element("span", { class: kind }, text);
      return element("button", { type: "button", class: kind, click: () => openEpisode(run, key) }, text);
    });
    const how = loop.candidates ? "played by the optimiser" : `played under prompt[${index - 1}]`;
    return element("div", { class: "batch" }, element("span", {}, `Turn ${index}, ${how}:`), episodes);
  }
  function auditView(index, { audit, batches }) {
    const { replayed, fresh } = audit[index - 1];
    const sameBatch = solvedChange(batches[index - 1].outcomes, replayed);
    const nextBatch = solvedChange(fresh, batches[index].outcomes);
    const text = `Audit, solved under prompt[${index - 1}] → prompt[${index}]: ` + `batch of this turn ${sameBatch}, batch of the next turn ${nextBatch}.`;
    return paragraph("faint", text);
  }
  function solvedChange(before, after) {
    return `${solvedCount(before)} → ${solvedCount(after)} of ${after.length}`;
  }
  function changeView(before, after) {
    if (before === after)
      return paragraph("faint", "Unchanged.");
    return [diffView(before, after), element("details", {}, element("summary", {}, "Whole prompt"), promptText(after))];
  }
  function promptText(text) {
    return element("div", { class: "prompt-text" }, text);
  }

  // assets/run/transfers.js
  function transfersSection({ transfers }, nameOf = ({ name }) => name) {
    if (!transfers.length)
      return null;
    return section("transfers", "Prompts played by another actor", paragraph("lead", "Gain of the recorded prompts for the actor with which they were learned, and for another actor on the same test " + "tasks. Each actor’s gain is over its own success under the first prompt. P-values compare whole loops."), transfers.map((transfer) => transferView(transfer, nameOf)));
  }
  function transferView({ reflector, learner, player, source, played, rows }, nameOf) {
    const title = `Prompts that ${reflector} learned with ${learner}, played by ${player}`;
    const columns = [
      "family",
      "loops",
      "learner’s gain",
      "player’s gain",
      "difference [95 %]",
      "p",
      "p, corrected",
      "last gains"
    ];
    return [
      element("h3", { class: "kind" }, title),
      paragraph("faint", "Learned in ", nameOf(source), ", played in ", nameOf(played), "."),
      dataTable({
        caption: title,
        columns,
        rows: rows.map((row) => [
          row.name,
          String(row.loops),
          estimate(row.gain, signed),
          estimate(row.transferred_gain, signed),
          estimate(row.difference, signed),
          pValue(row.p),
          pValue(row.p_corrected),
          `${signed(row.last_gain.value)}, ${signed(row.transferred_last_gain.value)}`
        ]),
        hideCaption: true
      })
    ];
  }

  // report/assets/comparison.js
  function comparisonSection({ comparison }) {
    if (!comparison)
      return null;
    const { reference, arms, missing } = comparison;
    return section("comparison", "Differences", paragraph("lead", `Success rate on test tasks under the best prompt, minus that of ${reference} on the same tasks. P-values compare ` + "whole loops; Holm’s correction is for all families and runs."), arms.map((arm) => armView(arm, reference)), missing.map(({ label, reason }) => paragraph("note warn", `${label} is not compared with ${reference}: ${reason}.`)));
  }
  function armView({ label, rows, verdict }, reference) {
    return [
      element("h3", { class: "kind" }, `${label} minus ${reference}`),
      dataTable({
        caption: `Differences of ${label} from ${reference}`,
        columns: ["family", reference, label, "difference [95 %]", "p", "p, corrected", "wins / ties / losses"],
        rows: rows.map((row) => [
          row.name,
          number(row.reference),
          number(row.other),
          estimate(row.difference, signed),
          pValue(row.p),
          pValue(row.p_corrected),
          `${row.wins} / ${row.ties} / ${row.losses}`
        ]),
        hideCaption: true
      }),
      element("ul", { class: "remarks" }, verdict.map((line) => element("li", {}, line)))
    ];
  }

  // report/assets/overview.js
  function overviewSection(report) {
    const several = report.runs.length > 1;
    return section("overview", several ? "Runs side by side" : "Overview", several ? comparabilityNote(report) : null, element("div", { class: "cards" }, report.runs.map((run, position) => runCard(run, position, several))));
  }
  function comparabilityNote({ differences, several_suites: severalSuites }) {
    if (!differences.length) {
      return paragraph("note", "These runs can be compared: suite, families, sizes, loops, actor and versions are the same.");
    }
    const warning = severalSuites ? "These runs are of different suites, so their numbers cannot be compared. Differences:" : "These runs differ in more than their reflectors, which may explain differences in their numbers:";
    return element("div", { class: "note warn" }, element("p", {}, warning), element("ul", {}, differences.map((line) => element("li", {}, line))));
  }
  function runCard(run, position, several) {
    const means = run.roles.find(({ role }) => role === "held-out") ?? run.roles[0];
    return element("article", { class: `card ${several ? seriesClass(position) : ""}`, "aria-label": `Run ${run.label}` }, element("h3", {}, several ? element("span", { class: "swatch" }) : null, run.label), paragraph("faint", `reflector ${run.reflector.label}, actor ${run.actor.label} · ${run.name}`), means ? headlineOf(means) : nothingFinished(), paragraph("faint", sizesText(run)), element("ul", { class: "remarks" }, [...run.remarks, ...run.troubles].map((line) => element("li", {}, line))));
  }
  function headlineOf({ role, measures }) {
    const pairs = [
      ["best", number(measures.best.value)],
      ["gain", estimate(measures.gain, signed)],
      ["base", number(measures.base.value)],
      ["last", number(measures.last.value)]
    ];
    return headline(pairs, `success rate on test tasks, mean of ${role} families`);
  }
  function sizesText({ profile, sizes, families, seconds, started }) {
    const streamed = families.some(({ measures }) => measures?.mixed);
    const place = streamed ? "loop and family of a stream" : "loop";
    const repeated = sizes.repeats ? `, each played ${sizes.repeats} times` : "";
    const parts = [
      `profile ${profile}`,
      `${counted(sizes.loops, "loop")} of ${counted(sizes.turns, "turn")} with ${counted(sizes.batch_size, "task")}`,
      `${count(sizes.selection_size)} selection and ${count(sizes.test_size)} test tasks per ${place}${repeated}`,
      `started ${started.slice(0, 16).replace("T", " ")} UTC, took ${duration(seconds)}`
    ];
    return parts.join(" · ");
  }

  // report/assets/report.js
  var report = pageDocument();
  var episodes = episodesSection(report);
  drawPage({
    title: [...new Set(report.runs.map((run) => run.suite.name))].join(" / "),
    subtitle: "ictbench report",
    sections: [
      ["Overview", overviewSection(report)],
      ["Differences", comparisonSection(report)],
      ["Transfers", transfersSection(report)],
      ["Curves", learningCurvesSection(report)],
      ["Gains", gainsSection(report)],
      ["Prompts", promptsSection(report, episodes.open)],
      ["Behaviour", behaviourSection(report)],
      ["Cost", costSection(report)],
      ["Episodes", episodes.node]
    ].filter(([, node]) => node)
  });
})();
