"use strict";
(() => {

  // assets/chunks.js
  var CACHE_SIZE = 6;
  var cache = new Map;
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

  // assets/visible.js
  var UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
  function visible(text) {
    return String(text).replace(UNSAFE, (character) => `[U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
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
  function screenReaderText(text) {
    return element("span", { class: "visually-hidden" }, text);
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
  function meaning(name) {
    return Object.hasOwn(TERMS, name) ? TERMS[name] : null;
  }
  function termList(names) {
    const known = names.filter((name) => meaning(name));
    return element("details", { class: "terms" }, element("summary", {}, "What the columns mean"), definitionList("facts", known.map((name) => [name, meaning(name)])));
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
  function errorNote(text) {
    return element("p", { class: "note warn", role: "alert" }, text);
  }

  // assets/copy.js
  function copyable(text, label) {
    const content = element("pre", { class: "copyable", tabindex: 0, "aria-label": label }, text);
    const status = element("span", { class: "faint", role: "status" });
    const button = element("button", { type: "button", click: copy, "aria-label": `Copy: ${label}` }, "Copy");
    async function copy() {
      try {
        await navigator.clipboard.writeText(visible(text));
        status.textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(content);
        status.textContent = "Selected: press Ctrl+C.";
      }
    }
    return element("div", { class: "to-copy" }, content, element("p", {}, button, " ", status));
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
  function money(value) {
    if (!isNumber(value))
      return "unknown";
    return value > 0 && value < 0.0001 ? "<$0.0001" : `$${fixed(value, value < 1 ? 4 : 2)}`;
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
  function range(length) {
    return Array.from({ length }, (_, index) => index);
  }
  function unsignedZero(text) {
    return Number(text) === 0 ? text.replace("-", "") : text;
  }
  function isNumber(value) {
    return typeof value === "number" && Number.isFinite(value);
  }

  // assets/links.js
  function outsideLink(address, text = address) {
    const isWeb = isWebAddress(address);
    return isWeb ? element("a", { href: address, rel: "nofollow noopener noreferrer" }, text) : element("span", {}, text);
  }
  function isWebAddress(address) {
    if (!/^https?:\/\//.test(address) || /[\s\p{C}]/u.test(address) || !URL.canParse(address))
      return false;
    const { username, password } = new URL(address);
    return !username && !password;
  }

  // board/assets/about.js
  var PAPER = "https://arxiv.org/abs/2605.20477";
  function aboutSection(about) {
    return section("about", "About", definitionList("facts about", facts(about)), element("div", { class: "two-columns" }, method(about), submission(about), citation(about)));
  }
  function facts({ updated, repository, docs, licence, ictbench }) {
    return [
      ["Last update", updated ?? MISSING],
      ["Repository", repository ? outsideLink(repository) : "The maintainers of this board state no address."],
      docs ? ["Documentation", outsideLink(docs)] : null,
      ["Licence", licence ? `${licence} (entries and tables); ictbench: Apache-2.0` : "ictbench: Apache-2.0"],
      ["Built with", `ictbench ${ictbench}`]
    ].filter(Boolean);
  }
  function method() {
    return card("Method", paragraph(null, "An actor plays tasks under a system prompt. After each turn, a reflector reads the finished episodes and rewrites " + "the prompt. The prompt that solves most selection tasks is the best one. The result is its success rate on test " + "tasks, which no prompt was written from, and its gain over the first prompt. All entries of a track play the same " + "tasks with the same actor. The board recomputes every number from the recorded episodes, replays them without a " + "model, and ranks only what replayed."), paragraph(null, "From the paper ", outsideLink(PAPER, "Training Language Agents to Learn from Experience"), "."));
  }
  function submission({ suite, repository, docs }) {
    const commands = [
      `ictbench run --suite ${suite ?? "SUITE"} --profile standard --reflector PROVIDER/MODEL --actor rules --out runs/mine`,
      "ictbench submit runs/mine --leaderboards leaderboards --name NAME --description TEXT --submitted-by WHO"
    ];
    return card("How to submit", paragraph(null, "Run the reflector on all held-out families, then make the submission:"), copyable(commands.join(`
`), "commands to submit"), paragraph(null, "Push the branch that it makes, and open a pull request in the ", repository ? outsideLink(repository, "repository of this board") : "repository of this board", ". The maintainers replay the run and add it. ", docs ? ["Details are in the ", outsideLink(docs, "documentation"), "."] : "Details: docs/leaderboard.md of ictbench."));
  }
  function citation({ bibtex }) {
    return card("How to cite", copyable(bibtex, "BibTeX"));
  }
  function card(heading, ...content) {
    return element("article", { class: "card", "aria-label": heading }, element("h3", {}, heading), content);
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

  // board/assets/entry-format.js
  var WEIGHTS = { true: "open", false: "closed", null: MISSING };
  var compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
  function weightsText({ weights }) {
    return WEIGHTS[weights];
  }
  function ranksText({ ranks }) {
    const [low, high] = ranks;
    return low === high ? String(low) : `${low}–${high}`;
  }
  function compactCount(value) {
    if (value === null)
      return "unknown";
    return value < 1e4 ? count(value) : compact.format(value);
  }
  function dollars(value) {
    return value === 0 ? "$0" : money(value);
  }
  function stackedEstimate(measure, format = number) {
    if (!measure)
      return MISSING;
    const [value, interval] = estimate(measure, format).split(/ (?=\[)/);
    return interval ? [element("span", { class: "value" }, value), secondLine(interval)] : value;
  }
  function secondLine(text) {
    return element("span", { class: "second-line" }, text);
  }
  function entryLink(entry, href) {
    return element("a", { href, class: "entry" }, entry.name);
  }
  var DIVISIONS = {
    reflector: { name: "reflectors", text: "They rewrite the prompt once a turn." },
    memory: {
      name: "memory learners",
      text: "They also keep a memory, from which they add text to the prompt of each episode."
    },
    optimiser: {
      name: "optimisers",
      text: "They search for prompts over the episodes of a whole loop, and may play its experience tasks again."
    }
  };
  var KINDS = {
    model: "language model",
    program: "program",
    person: "written by a person",
    unknown: "own class"
  };
  function kindTag({ kind }) {
    return element("span", { class: `kind-tag kind-${kind}` }, KINDS[kind] ?? kind);
  }
  function isFound(entry, search) {
    const text = [entry.name, entry.slug, entry.reflector, entry.actor, entry.by].map(searchable).join(`
`);
    return searchable(search).split(/\s+/).every((word) => text.includes(word));
  }
  function searchable(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  }
  function entryHead(entry, href) {
    return [
      entryLink(entry, href),
      " ",
      kindTag(entry),
      element("span", { class: "faint" }, `${entry.reflector} · ${entry.by}`),
      entry.remarks.map((remark) => element("span", { class: "faint bad" }, remark))
    ];
  }
  function badgeList(entry) {
    if (!entry.badges.length)
      return element("span", { class: "faint" }, "none");
    return element("span", { class: "badges" }, entry.badges.map((badge) => [element("span", { class: `badge ${badge}` }, badgeText(badge, entry)), " "]));
  }
  function badgeText(badge, { replayed_share: share }) {
    if (badge !== "replayed" || share >= 1)
      return badge;
    return [`${badge} ${percent(share)}`, screenReaderText(" of its episodes")];
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
  function label(x, y, text, kind = "") {
    return svgElement("text", { x: rounded(x), y: rounded(y), class: `label ${kind}` }, text);
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
      return rounded;
    const direction = Math.sign(end - start);
    const [first, last] = [start + direction * inset, end - direction * inset];
    const share = scale ?? ((value) => (value - domain[0]) / (domain[1] - domain[0]));
    return (value) => rounded(first + share(value) * (last - first));
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
  function rounded(value) {
    return Math.round(value * 100) / 100;
  }

  // assets/fitted-chart.js
  function fittedChart(draw, { least, most }) {
    const place = element("div", { class: "fitted" }, draw(most));
    let drawn = most;
    new ResizeObserver(() => {
      const width = Math.round(Math.max(least, Math.min(most, place.clientWidth)));
      if (!place.clientWidth || width === drawn)
        return;
      drawn = width;
      requestAnimationFrame(() => place.replaceChildren(draw(width)));
    }).observe(place);
    return place;
  }

  // assets/run/gain-chart.js
  function gainAxis(items) {
    const lowest = Math.min(0, ...items.map(({ gain }) => gain.low ?? gain.value));
    const bottom = Math.floor(lowest * 4) / 4;
    const ticks = [1, 0.5, 0, -0.5, -1].filter((tick) => tick >= bottom);
    return { domain: [bottom, 1], ticks, format: (tick) => signed(tick, 1), title: "gain", grid: true };
  }

  // board/assets/pareto-chart.js
  var ZERO_COST_LANE = 0.07;
  function paretoChart(options) {
    return fittedChart((width) => paretoImage(options, width), { least: 280, most: 720 });
  }
  function paretoImage({ title, entries, axis, format }, width) {
    const front = paretoFront(entries);
    const sentence = ({ name, cost, gain }) => `${name}: ${format(cost)}, gain ${estimate(gain, signed)}`;
    const points = entries.map((entry) => ({
      x: entry.cost,
      estimate: entry.gain,
      name: entry.name,
      isMinor: !front.includes(entry),
      isOptional: true,
      position: entry.shape,
      kind: front.includes(entry) ? "front" : "dominated",
      text: sentence(entry),
      data: { cost: entry.cost, gain: entry.gain.value },
      size: 4.5
    }));
    return chart({
      kind: "gain pareto",
      title,
      description: `${entries.length} entries. On the Pareto front: ${front.map(sentence).join("; ")}.`,
      width,
      height: 350,
      margin: [24, 16, 38, 42],
      x: { ...costScale(entries.map(({ cost }) => cost)), inset: 12, format, title: axis },
      y: gainAxis(entries)
    }, (plot) => [front.length > 1 ? path(plot, staircase(front), "front") : null, scatter(plot, points, 9)]);
  }
  function paretoFront(entries) {
    const cheapestFirst = [...entries].sort((left, right) => left.cost - right.cost || right.gain.value - left.gain.value);
    let highest = Number.NEGATIVE_INFINITY;
    return cheapestFirst.filter(({ gain }) => {
      const isOnFront = gain.value > highest;
      highest = Math.max(highest, gain.value);
      return isOnFront;
    });
  }
  function costScale(costs) {
    const logarithms = costs.filter((cost) => cost > 0).map(Math.log10);
    const low = logarithms.length ? Math.floor(Math.min(...logarithms)) : 0;
    const high = logarithms.length ? Math.max(low + 1, Math.ceil(Math.max(...logarithms))) : 1;
    const lane = costs.includes(0) ? ZERO_COST_LANE : 0;
    const powers = logarithms.length ? range(high - low + 1).map((index) => 10 ** (low + index)) : [];
    return {
      domain: [10 ** low, 10 ** high],
      scale: (cost) => cost > 0 ? lane + (1 - lane) * (Math.log10(cost) - low) / (high - low) : 0,
      ticks: lane ? [0, ...powers] : powers
    };
  }
  function staircase(front) {
    return front.flatMap(({ cost, gain }, index) => [
      [cost, front[Math.max(0, index - 1)].gain.value],
      [cost, gain.value]
    ]);
  }

  // board/assets/view-state.js
  function keyOrFirst(table, name) {
    return Object.hasOwn(table, name) ? name : Object.keys(table)[0];
  }
  function viewState(defaults, onchange) {
    const query = new URLSearchParams(location.search);
    const present = Object.keys(defaults).filter((name) => query.has(name));
    const state = { ...defaults, ...Object.fromEntries(present.map((name) => [name, query.get(name)])) };
    function update(changes) {
      Object.assign(state, changes);
      const changed = new URLSearchParams(Object.entries(state).filter(([name, value]) => value !== defaults[name]));
      const search = changed.size ? `?${changed}` : "";
      history.replaceState(null, "", location.pathname + search + location.hash);
      onchange();
    }
    return { state, update };
  }
  function choiceSection({ id, heading, lead, label, choices, key }, { state, update }, draw) {
    const { node: list, select } = picker(label, Object.keys(choices), (choice) => update({ [key]: choice }));
    const content = element("div", {});
    const node = section(id, heading, paragraph("lead", lead), element("div", { class: "pickers" }, list), content);
    function show(view) {
      select.value = keyOrFirst(choices, state[key]);
      content.replaceChildren(...draw(view, select.value));
    }
    return { node, show };
  }

  // board/assets/cost.js
  var UNITS = {
    tokens: { cost: ({ cost }) => cost.tokens, format: compactCount, axis: "cost of the run in tokens", unknown: "tokens" },
    dollars: { cost: ({ cost }) => cost.usd, format: dollars, axis: "cost of the run in dollars", unknown: "prices" },
    episodes: { cost: ({ cost }) => cost.experience, format: count, axis: "episodes of experience per loop" }
  };
  function costSection(choices) {
    const lead = "Entries of all divisions with this actor and profile. The line is the Pareto front: each entry on it gains more than " + "every entry that costs the same or less. Vertical lines are 95 % intervals.";
    const options = { id: "cost", heading: "Gain against cost", lead, label: "Cost in", choices: UNITS, key: "cost" };
    return choiceSection(options, choices, costViews);
  }
  function costViews({ inAllDivisions: entries }, unit) {
    const { cost, format, axis, unknown: what } = UNITS[unit];
    const divisions = Object.keys(DIVISIONS).filter((name) => entries.some(({ division }) => division === name));
    const known = entries.filter((entry) => cost(entry) !== null);
    const unknown = entries.length - known.length;
    if (known.length && known.every((entry) => cost(entry) === 0))
      return [paragraph("note", "None of these entries called a language model, so all costs are zero.")];
    const note = unknown ? [paragraph("faint", `Not shown, ${what} unknown: ${unknown} of ${entries.length}.`)] : [];
    if (!known.length)
      return note;
    const points = known.map((entry) => ({
      name: entry.name,
      shape: divisions.length > 1 ? Object.keys(DIVISIONS).indexOf(entry.division) : entry.kind === "model" ? 0 : 1,
      cost: cost(entry),
      gain: entry.measures.gain
    }));
    return [
      paragraph("faint", shapesText(divisions)),
      paretoChart({ title: `Gain against cost in ${unit}`, entries: points, axis, format }),
      ...note,
      foldedTable({
        caption: `cost in ${unit} and gain`,
        columns: ["entry", "division", "gain", "tokens", "dollars", "experience", "Pareto front"],
        rows: known.map((entry) => [
          entry.name,
          DIVISIONS[entry.division].name,
          estimate(entry.measures.gain, signed),
          ...Object.values(UNITS).map((one) => one.format(one.cost(entry))),
          entry.on_front ? "yes" : "no"
        ])
      })
    ];
  }
  function shapesText(divisions) {
    return divisions.length > 1 ? "Circles are reflectors, squares are memory learners, diamonds are optimisers." : "Circles are language models, squares are programs and own classes.";
  }

  // board/assets/families.js
  var MEASURES = { best: number, gain: signed, last: number, base: number };
  var TRAINED_MARK = "†";
  function familiesSection(board, choices) {
    const lead = "Headline numbers are means over held-out families. Reflectors may be trained on meta-train families.";
    const options = { id: "families", heading: "By family", lead, label: "Measure", choices: MEASURES, key: "measure" };
    const part = choiceSection(options, choices, ({ entries }, measure) => familyViews(board, entries, measure));
    let shown = null;
    function show(view) {
      shown = view;
      loadChunk(`families-${view.track.key}`).then((families) => {
        const entries = view.entries.map((entry) => ({ ...entry, families: families[entry.slug] }));
        if (view === shown)
          part.show({ ...view, entries });
      }, (error) => part.node.append(errorNote(`Cannot decompress the families: ${error.message}`)));
    }
    return { node: part.node, show };
  }
  function familyViews(board, entries, measure) {
    const families = board.families.filter((family) => entries.some((entry) => (family.name in entry.families)));
    const table = dataTable({
      caption: `${measure} by family`,
      columns: ["entry", ...families.map((family) => ({ name: family.name, node: familyHead(family) }))],
      rows: entries.map((entry) => [
        entryLink(entry, `entries/${entry.slug}.html`),
        ...families.map((family) => measureCell(entry.families[family.name], measure))
      ]),
      hideCaption: true
    });
    return [element("div", { class: "heat" }, table), ...notes(families, entries)];
  }
  function familyHead({ name, role }) {
    return element("span", {}, name, element("span", { class: "role" }, role));
  }
  function measureCell(family, measure) {
    const estimate = family?.[measure];
    if (!estimate)
      return MISSING;
    return heatCell(estimate.value, MEASURES[measure](estimate.value), family.seen ? TRAINED_MARK : "");
  }
  function notes(families, entries) {
    const lines = families.filter(({ note }) => note).map(({ name, note }) => `${name}: ${note}.`);
    const isAnySeen = entries.some((entry) => Object.values(entry.families).some((family) => family.seen));
    if (isAnySeen)
      lines.unshift(`${TRAINED_MARK} the reflector or the actor was trained on this family.`);
    return lines.map((line) => paragraph("faint", line));
  }

  // board/assets/filters.js
  var FILTERS = {
    kind: {
      any: () => true,
      ...Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, (entry) => entry.kind === kind]))
    },
    weights: {
      any: () => true,
      open: ({ weights }) => weights === true,
      closed: ({ weights }) => weights === false,
      none: ({ weights }) => weights === null
    },
    badge: {
      any: () => true,
      "replayed in full": ({ replayed_share: share }) => share >= 1,
      rerun: ({ badges }) => badges.includes("rerun")
    }
  };
  function entryFilter(all, { search, trained, actorTrained, ...state }) {
    const chosen = Object.entries(FILTERS).map(([name, table]) => table[keyOrFirst(table, state[name])]);
    const isTrainingKnown = all.some((entry) => entry.trained_on === trained);
    const isActorTrainingKnown = all.some((entry) => entry.actor_trained_on === actorTrained);
    return (entry) => isFound(entry, search) && chosen.every((passes) => passes(entry)) && (!isTrainingKnown || entry.trained_on === trained) && (!isActorTrainingKnown || entry.actor_trained_on === actorTrained);
  }
  function filterControls(board, state, update) {
    const bySlug = new Map(board.entries.map((entry) => [entry.slug, entry]));
    const search = searchBox(state, update);
    const tracks = trackSwitch(board, bySlug, state, update);
    const kinds = [["any", "any"], ...Object.entries(KINDS)];
    const pickers = {
      kind: picker("Prompts written by", kinds, (kind) => update({ kind })),
      weights: picker("Weights of the reflector", Object.keys(FILTERS.weights), (weights) => update({ weights })),
      trained: picker("Reflector trained on", [], (trained) => update({ trained })),
      actorTrained: picker("Actor trained on", [], (actorTrained) => update({ actorTrained })),
      badge: picker("Badge", Object.keys(FILTERS.badge), (badge) => update({ badge }))
    };
    const controls = [search.node, ...Object.values(pickers).map(({ node }) => node)];
    const node = element("div", {}, tracks.node, element("div", { class: "pickers" }, controls));
    function show(track, all) {
      showTrainings("trained", all.map((entry) => entry.trained_on));
      showTrainings("actorTrained", all.map((entry) => entry.actor_trained_on));
      for (const name of Object.keys(FILTERS))
        pickers[name].select.value = keyOrFirst(FILTERS[name], state[name]);
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
      input: () => update({ search: input.value })
    });
    function show() {
      if (input.value !== state.search)
        input.value = state.search;
    }
    return { node: element("label", { class: "picker search" }, element("span", {}, "Search"), input), show };
  }
  function trackSwitch({ tracks }, bySlug, state, update) {
    const name = uniqueId("track");
    const choices = tracks.map((track) => trackChoice(track, name, () => select(track.key)));
    const groups = Object.entries(DIVISIONS).flatMap(([division, { name: heading }]) => [
      [`${capitalised(heading)}, language models as actors`, choicesOf(division, false)],
      [`${capitalised(heading)}, programs as actors (scripted)`, choicesOf(division, true)]
    ]).filter(([, group]) => group.length);
    const node = element("fieldset", { class: "tracks" }, element("legend", {}, "Division, actor and profile"), groups.map(([heading, group]) => element("div", { class: "track-group", role: "group", "aria-label": heading }, element("span", { class: "faint" }, heading), group.map((choice) => choice.node))));
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

  // board/assets/learning-curves.js
  var MAX_ENTRIES = 6;
  var DEFAULT_ENTRIES = 3;
  var MAX_LISTED = 50;
  var CHUNK_SIZE = 50;
  function learningCurvesSection({ state, update }) {
    const checkboxes = element("fieldset", { class: "checkboxes" });
    const note = paragraph("faint");
    const content = element("div", {});
    let shown = "";
    function show({ track, all, entries }) {
      const requested = state.curves ? state.curves.split(",") : entries.slice(0, DEFAULT_ENTRIES).map(({ slug }) => slug);
      const selected = all.filter(({ slug }) => requested.includes(slug)).slice(0, MAX_ENTRIES);
      drawCheckboxes(entries, selected);
      const selection = `${track.key} ${selected.map(({ slug }) => slug)}`;
      if (selection === shown)
        return;
      shown = selection;
      loadCurves(track, selected).then((curves) => selection === shown && content.replaceChildren(...charts(selected, curves)), (error) => content.replaceChildren(errorNote(`Cannot decompress the curves: ${error.message}`)));
    }
    function drawCheckboxes(entries, selected) {
      const focused = document.activeElement?.closest?.(".checkboxes") ? document.activeElement.value : null;
      const slugs = selected.map(({ slug }) => slug);
      const others = entries.filter(({ slug }) => !slugs.includes(slug));
      const listed = [...selected, ...others.slice(0, MAX_LISTED)].sort(byName);
      note.textContent = others.length > MAX_LISTED ? `${listed.length} of ${count(others.length + selected.length)} entries are listed: those at the top of the ` + "ranking. The search above the ranking finds the others." : "";
      checkboxes.replaceChildren(element("legend", {}, `Entries, at most ${MAX_ENTRIES}`), ...listed.map((entry) => checkbox(entry, slugs)));
      checkboxes.querySelector(`input[value="${CSS.escape(focused ?? "")}"]`)?.focus();
    }
    function checkbox(entry, slugs) {
      const checked = slugs.includes(entry.slug);
      const others = slugs.filter((slug) => slug !== entry.slug);
      const input = element("input", {
        type: "checkbox",
        value: entry.slug,
        checked,
        disabled: !checked && slugs.length >= MAX_ENTRIES,
        change: () => update({ curves: (checked ? others : [...slugs, entry.slug]).join(",") })
      });
      const series = checked ? seriesClass(slugs.indexOf(entry.slug)) : "";
      return element("label", { class: series }, input, element("span", {}, entry.name));
    }
    const node = section("curves", "Learning curves", paragraph("lead", "Success rate of each prompt on selection tasks, with its 95 % interval."), checkboxes, note, content);
    return { node, show };
  }
  async function loadCurves({ key, entries }, selected) {
    const numbers = selected.map(({ slug }) => Math.floor(entries.indexOf(slug) / CHUNK_SIZE));
    const chunks = await Promise.all([...new Set(numbers)].map((number) => loadChunk(`curves-${key}-${number}`)));
    return Object.assign({}, ...chunks);
  }
  function charts(selected, curves) {
    const families = [...new Set(selected.flatMap(({ slug }) => Object.keys(curves[slug])))];
    const panels = families.map((family) => {
      const series = selected.map((entry, position) => ({ name: entry.name, position, points: curves[entry.slug][family] })).filter(({ points }) => points);
      return element("article", { class: "panel", "aria-label": family }, element("h3", {}, family), learningCurve({ title: `Learning curves, ${family}`, series }));
    });
    const names = legend(selected.map(({ name }) => name), "Entries");
    return [names ?? "", element("div", { class: "panels" }, panels)];
  }
  function byName(left, right) {
    return left.name < right.name ? -1 : 1;
  }

  // board/assets/log.js
  var SHOWN_HASH_DIGITS = 16;
  function logSection({ log, log_head: lastHash, unlogged, entries }) {
    const slugs = new Set(entries.map(({ slug }) => slug));
    const lastLine = [" Hash of the last line: ", element("code", {}, lastHash.slice(0, SHOWN_HASH_DIGITS)), "."];
    return section("log", "Log", paragraph("lead", "Lines are only appended. Each line contains the hash of the line before it, which makes changes to earlier " + "lines detectable.", log.length ? lastLine : null), unlogged.length ? paragraph("note warn", `Not yet in the log: the present version of ${unlogged.join(", ")}. The maintainers add a line when they accept it.`) : null, logView(log, (slug) => slugs.has(slug) ? `entries/${slug}.html` : null));
  }
  function logView(log, linkOf) {
    if (!log.length)
      return paragraph("faint", "The log is empty.");
    return element("div", { class: "log" }, dataTable({
      caption: "Log, newest first",
      columns: ["date", "event", "entry", "by", "reason"],
      rows: [...log].reverse().map(({ date, event, slug, by, reason }) => {
        const href = linkOf(slug);
        return [
          date.slice(0, 10),
          element("span", { class: `event ${event}` }, event),
          href ? element("a", { href }, slug) : slug,
          by,
          element("span", { class: "reason" }, reason)
        ];
      }),
      hideCaption: true
    }));
  }

  // board/assets/base-to-best.js
  var [WIDTH, HEIGHT] = [150, 20];
  var X_AXIS = { domain: [0, 1], ticks: [0, 0.5, 1], grid: true };
  function baseToBest({ base, best }) {
    const y = HEIGHT / 2;
    return chart({ kind: "base-to-best", width: WIDTH, height: HEIGHT, margin: [1, 7, 1, 7], x: X_AXIS }, (plot) => [
      line(plot, [base.value, y], [best.value, y], "gain-line"),
      best.low === null ? null : line(plot, [best.low, y], [best.high, y], "best-interval"),
      mark(plot, [base.value, y], { position: 0, kind: "base" }),
      mark(plot, [best.value, y], { position: 0, kind: "best", size: 4 })
    ]);
  }

  // board/assets/ranking.js
  var measure = (name) => (entry) => entry.measures[name]?.value ?? null;
  var COLUMNS = [
    { key: "rank", head: "rank", value: ({ ranks }) => ranks[0] + ranks[1] / 1000, ascending: true, cell: ranksText },
    { key: "name", head: "entry", value: ({ name }) => name.toLowerCase(), ascending: true },
    { head: "base to best", cell: ({ measures }) => baseToBest(measures) },
    { key: "best", head: "best", value: measure("best"), cell: ({ measures }) => stackedEstimate(measures.best) },
    { key: "gain", head: "gain", value: measure("gain"), cell: ({ measures }) => stackedEstimate(measures.gain, signed) },
    { key: "last", head: "last", value: measure("last"), cell: ({ measures }) => number(measures.last.value) },
    {
      key: "headroom",
      head: "headroom gain",
      value: measure("headroom_gain"),
      cell: ({ measures }) => stackedEstimate(measures.headroom_gain, signed)
    },
    {
      key: "blind",
      head: "over blind",
      value: measure("over_blind"),
      cell: ({ measures, blind }) => [
        stackedEstimate(measures.over_blind, signed),
        blind ? element("span", { class: "second-line arm" }, `over ${blind.name}, by ${blind.by}`) : null
      ]
    },
    {
      key: "progress",
      head: "progress",
      value: measure("progress"),
      cell: ({ measures }) => stackedEstimate(measures.progress),
      needs: "progress"
    },
    {
      key: "forgetting",
      head: "forgetting",
      value: measure("forgetting"),
      cell: ({ measures }) => stackedEstimate(measures.forgetting, signed),
      needs: "forgetting"
    },
    {
      key: "transfer",
      head: "forward transfer",
      value: measure("forward_transfer"),
      cell: ({ measures }) => stackedEstimate(measures.forward_transfer, signed),
      needs: "forgetting"
    },
    { head: "badges", cell: badgeList },
    {
      head: "trained on",
      cell: (entry) => [
        element("span", { class: "training" }, entry.trained_on),
        entry.weights === null ? null : secondLine(`${weightsText(entry)} weights`)
      ]
    },
    {
      key: "tokens",
      head: "tokens",
      value: ({ cost }) => cost.tokens,
      ascending: true,
      cell: ({ cost }) => [compactCount(cost.tokens), secondLine(dollars(cost.usd))]
    },
    { key: "date", head: "date", value: ({ date }) => date, cell: ({ date }) => date }
  ];
  function columnsOf({ entries }) {
    return COLUMNS.filter(({ needs }) => !needs || entries.some(({ measures }) => Object.hasOwn(measures, needs)));
  }
  function selectEntries(all, state) {
    const isWanted = entryFilter(all, state);
    const column = COLUMNS.find(({ key }) => key && key === state.sort) ?? COLUMNS[0];
    const sign = isAscending(column, state) ? 1 : -1;
    return all.filter(isWanted).sort((left, right) => {
      const [a, b] = [column.value(left), column.value(right)];
      if (a === null || b === null)
        return (a === null) - (b === null);
      return sign * (a < b ? -1 : a > b ? 1 : 0);
    });
  }
  function isAscending({ ascending = false }, { order }) {
    return order ? order === "up" : ascending;
  }
  function rankingSection(board, { state, update }) {
    const filters = filterControls(board, state, update);
    const status = element("p", { class: "faint", role: "status" });
    const about = paragraph("faint");
    const body = element("tbody", { role: "rowgroup" });
    const columns = columnsOf(board);
    const heads = columns.map((column) => sortableHead(column, () => update(sortBy(column, state))));
    const ranking = table({ kind: "ranking", caption: "Ranking", heads, body, hideCaption: true });
    function show({ track, all, entries }) {
      filters.show(track, all);
      about.replaceChildren(element("span", {}, trackText(track, all)));
      status.textContent = entries.length === all.length ? `All ${all.length} entries of this track.` : `${entries.length} of ${all.length} entries are shown; ranks are among all of them.`;
      heads.forEach((head, index) => markSorted(head, columns[index], state));
      body.replaceChildren(...entries.length ? entries.map((entry) => entryRow(entry, columns)) : [emptyRow(columns)]);
    }
    const node = section("ranking", "Ranking", paragraph("lead", "Learners of one division for one actor, ranked by success rate on test tasks under the best prompt: mean over held-out " + "families, with 95 % intervals. A range of ranks is a tie: the differences may be chance."), board.tracks.length ? [
      filters.node,
      about,
      scrollBox(ranking, "Ranking, all columns"),
      status,
      termList(columns.map(({ head }) => head))
    ] : paragraph("note", "No entry is ranked yet."));
    return { node, show };
  }
  function sortableHead({ key, head }, click) {
    const content = key ? explained(element("button", { type: "button", class: "sort", click }, head), meaning(head)) : term(head);
    return columnHead({ "data-key": key ?? null }, content);
  }
  function sortBy({ key, ascending = false }, { sort, order }) {
    const isReversal = sort === key && !order;
    return { sort: key, order: isReversal ? ascending ? "down" : "up" : "" };
  }
  function markSorted(head, column, state) {
    if (column.key && column.key === state.sort)
      head.setAttribute("aria-sort", isAscending(column, state) ? "ascending" : "descending");
    else
      head.removeAttribute("aria-sort");
  }
  function entryRow(entry, columns) {
    const cells = columns.map(({ head, cell }) => head === "entry" ? element("th", { scope: "row", role: "rowheader", "data-label": head }, entryHead(entry, `entries/${entry.slug}.html`)) : dataCell(head, cell(entry), { class: head === "rank" ? "rank" : null }));
    return element("tr", { role: "row", class: `of-${entry.kind}` }, cells);
  }
  function emptyRow(columns) {
    const text = "No entry passes these filters.";
    return element("tr", { role: "row" }, dataCell(null, text, { colspan: columns.length, class: "empty" }));
  }
  function trackText({ actor, scripted, division }, all) {
    const { name, text } = DIVISIONS[division];
    const parts = [
      `Division of ${name}. ${text}`,
      scripted ? `Actor ${actor}: a scripted program, not a language model.` : `Actor ${actor}.`
    ];
    if (all.length > 1)
      parts.push(`All ${all.length} entries played the same tasks.`);
    return parts.join(" ");
  }

  // board/assets/transfers.js
  var COLUMNS2 = [
    "prompts of",
    "learned with",
    "played by",
    "families",
    "learner’s gain",
    "player’s gain",
    "difference [95 %]",
    "p"
  ];
  function boardTransfersSection({ transfers }) {
    if (!transfers.length)
      return null;
    return section("transfers", "Prompts played by other actors", paragraph("lead", "Entries whose actor played the prompts that another entry learned with its own actor, on the same test tasks. The " + "board has replayed both. The page of each entry shows its families."), element("div", { class: "unranked" }, dataTable({
      caption: "Prompts played by other actors",
      columns: COLUMNS2,
      rows: transfers.flatMap(transferRows),
      hideCaption: true
    })));
  }
  function transferRows({ learner, player, source, played, rows }) {
    return rows.filter(({ family }) => family === null).map((row) => [
      pageLink(source),
      learner,
      [player, " in ", pageLink(played)],
      row.name,
      stackedEstimate(row.gain, signed),
      stackedEstimate(row.transferred_gain, signed),
      stackedEstimate(row.difference, signed),
      pValue(row.p)
    ]);
  }
  function pageLink({ name, slug }) {
    return element("a", { href: `entries/${slug}.html#transfers` }, name);
  }

  // board/assets/unranked.js
  var COLUMNS3 = ["entry", "reason", "actor", "profile", "best", "gain", "last", "badges", "date"];
  var GROUPS = {
    trained: [
      "Trained on held-out families",
      "The reflector or the actor of these entries was trained on the families that it is tested on, so their numbers do " + "not show how they do on new families."
    ],
    waiting: [
      "Not replayed yet",
      "The board has not replayed these runs: their numbers are the submitters’ claims."
    ],
    control: ["Controls", "Baselines, and prompts written by a person: what an actor gains without learning from experience."],
    shown: ["Shown unranked", "Runs that do not qualify for a ranking, added by the board’s maintainers."]
  };
  function unrankedSection(board) {
    const content = element("div", {});
    const node = section("unranked", "Not ranked", content, badView(board.bad));
    const all = board.entries.filter(({ section: name }) => Object.hasOwn(GROUPS, name));
    let shown = null;
    function show({ search }) {
      if (search === shown)
        return;
      shown = search;
      const found = all.filter((entry) => isFound(entry, search));
      const groups = Object.entries(GROUPS).map(([name, texts]) => [texts, found.filter((entry) => entry.section === name)]).filter(([, entries]) => entries.length);
      const none = board.entries.length ? "All entries are ranked." : "No entry yet.";
      const nothing = all.length ? "No unranked entry matches the search." : none;
      content.replaceChildren(...groups.length ? groups.flatMap(([texts, entries]) => groupView(texts, entries)) : [paragraph("faint", nothing)]);
    }
    return { node, show };
  }
  function badView(bad) {
    if (!bad.length)
      return null;
    return [
      element("h3", { class: "kind" }, "Cannot be shown"),
      paragraph("lead", "The board cannot read or process these submissions."),
      dataTable({
        caption: "Cannot be shown",
        columns: ["submission", "reason"],
        rows: bad.map(({ slug, reason }) => [slug, element("span", { class: "reason" }, reason)]),
        hideCaption: true
      })
    ];
  }
  function groupView([heading, lead], entries) {
    return [
      element("h3", { class: "kind" }, heading),
      paragraph("lead", lead),
      element("div", { class: "unranked" }, dataTable({
        caption: heading,
        columns: COLUMNS3,
        rows: entries.map(entryRow2),
        hideCaption: true
      }))
    ];
  }
  function entryRow2(entry) {
    const { best, gain, last } = entry.measures;
    return [
      entryHead(entry, `entries/${entry.slug}.html`),
      element("span", { class: "reason" }, entry.why),
      entry.actor,
      [entry.profile, entry.division === "reflector" ? null : secondLine(DIVISIONS[entry.division].name)],
      stackedEstimate(best),
      stackedEstimate(gain, signed),
      number(last?.value),
      badgeList(entry),
      entry.date
    ];
  }

  // board/assets/board.js
  loadChunk("board").then(draw, (error) => document.getElementById("content").replaceChildren(errorNote(`Cannot decompress the board: ${error.message}`)));
  function draw(data) {
    const board = { ...pageDocument(), ...data };
    const bySlug = new Map(board.entries.map((entry) => [entry.slug, entry]));
    const choices = viewState({
      track: board.tracks[0]?.key ?? "",
      search: "",
      kind: "any",
      weights: "any",
      trained: "any",
      actorTrained: "any",
      badge: "any",
      sort: "rank",
      order: "",
      cost: "tokens",
      measure: "best",
      curves: ""
    }, show);
    const ranking = rankingSection(board, choices);
    const parts = board.tracks.length ? [
      ["Ranking", ranking],
      ["Cost", costSection(choices)],
      ["Families", familiesSection(board, choices)],
      ["Curves", learningCurvesSection(choices)]
    ] : [["Ranking", ranking]];
    function show() {
      unranked.show(choices.state);
      const track = board.tracks.find(({ key }) => key === choices.state.track) ?? board.tracks[0];
      if (!track)
        return;
      const all = track.entries.map((slug) => bySlug.get(slug));
      const inAllDivisions = board.tracks.filter(({ setup }) => setup === track.setup).flatMap(({ entries }) => entries.map((slug) => bySlug.get(slug)));
      const view = {
        track,
        all,
        entries: selectEntries(all, choices.state),
        inAllDivisions: inAllDivisions.filter(entryFilter(inAllDivisions, choices.state))
      };
      for (const [, part] of parts)
        part.show(view);
    }
    const tables = ["board.md", "ranking.csv", "families.csv", "unranked.csv", "transfers.csv", "log.csv"];
    const unranked = unrankedSection(board);
    unranked.node.append(paragraph("faint", "This board as tables: ", tables.map((name, index) => [index ? ", " : "", element("a", { href: `tables/${name}` }, name)])));
    show();
    drawPage({
      title: board.suite,
      subtitle: board.title,
      trail: [["All suites", "../index.html"]],
      sections: [
        ...parts.map(([name, { node }]) => [name, node]),
        ["Not ranked", unranked.node],
        ["Transfers", boardTransfersSection(board)],
        ["Log", logSection(board)],
        ["About", aboutSection(board.about)]
      ].filter(([, node]) => node)
    });
  }
})();
