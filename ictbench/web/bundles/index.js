"use strict";
(() => {

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
  function paragraph(kind, ...children) {
    return element("p", { class: kind }, children);
  }
  function definitionList(kind, pairs) {
    return element("dl", { class: kind }, pairs.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
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

  // assets/table.js
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

  // assets/chart.js
  var COLOURS = 6;
  var SHAPES = [
    (r) => `m${-r} 0a${r} ${r} 0 1 1 ${2 * r} 0a${r} ${r} 0 1 1 ${-2 * r} 0Z`,
    (r) => `m${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}Z`,
    (r) => `m0 ${-1.35 * r}l${1.35 * r} ${1.35 * r}l${-1.35 * r} ${1.35 * r}l${-1.35 * r} ${-1.35 * r}Z`
  ];
  var LABEL_SHIFTS = range(33).map((index) => (index % 2 ? 1 : -1) * Math.ceil(index / 2) / 2);
  function seriesClass(position) {
    return `series-${position % COLOURS}`;
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
  function mark(plot, [x, y], { position, text, data = {}, size = 3.2, kind = "" }) {
    const outline = `M${plot.x(x)} ${plot.y(y)}${SHAPES[position % SHAPES.length](size)}`;
    const attributes = Object.fromEntries(Object.entries(data).map(([name, value]) => [`data-${name}`, value]));
    const title = text ? svgElement("title", {}, text) : null;
    return svgElement("path", { d: outline, class: `mark ${seriesClass(position)} ${kind}`, ...attributes }, title);
  }
  function label(x, y, text, kind = "") {
    return svgElement("text", { x: rounded(x), y: rounded(y), class: `label ${kind}` }, text);
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
  function rounded(value) {
    return Math.round(value * 100) / 100;
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

  // board/assets/entry-format.js
  var compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
  function ranksText({ ranks }) {
    const [low, high] = ranks;
    return low === high ? String(low) : `${low}–${high}`;
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
  var KINDS = {
    model: "language model",
    program: "program",
    person: "written by a person",
    unknown: "own class"
  };
  function kindTag({ kind }) {
    return element("span", { class: `kind-tag kind-${kind}` }, KINDS[kind] ?? kind);
  }

  // board/assets/suite-gains.js
  function gainsSection({ meaning, columns, suites, rows }) {
    if (!rows.length)
      return null;
    return section("gains", "Gains by suite", paragraph("lead", meaning), dataTable({
      caption: "Gains by suite",
      columns: [...columns, ...suites],
      rows: rows.map(({ labels, cells }) => [...labels, ...cells.map((entries, i) => gainCell(entries, suites[i]))]),
      hideCaption: true
    }));
  }
  function gainCell(entries, suite) {
    if (!entries.length)
      return MISSING;
    return entries.map(({ slug, name, gain }) => {
      const href = `${encodeURIComponent(suite)}/entries/${slug}.html`;
      return element("a", { href, title: name }, stackedEstimate(gain, signed));
    });
  }

  // board/assets/index.js
  var { suites, gains, about } = pageDocument();
  function suiteCard({ name, title, ranked, unranked, tracks, more_tracks: moreTracks }) {
    const folder = encodeURIComponent(name);
    const facts = [title, `${ranked} ranked`, `${unranked} not ranked`].filter(Boolean);
    return element("article", { class: "card", "aria-label": name }, element("h3", {}, element("a", { href: `${folder}/index.html` }, name)), paragraph("faint", facts.join(" · ")), tracks.map((track) => trackLeaders(track, folder)), moreTracks ? paragraph("faint", element("a", { href: `${folder}/index.html` }, `${moreTracks} more tracks`)) : null);
  }
  function trackLeaders({ key, name, leaders }, folder) {
    return [
      element("h4", { class: "kind" }, element("a", { href: `${folder}/index.html?track=${key}` }, name)),
      dataTable({
        caption: `Leaders of ${name}`,
        columns: ["entry", "rank", "base to best", "best", "gain"],
        rows: leaders.map((entry) => [
          [entryLink(entry, `${folder}/entries/${entry.slug}.html`), " ", kindTag(entry)],
          ranksText(entry),
          baseToBest(entry.measures),
          stackedEstimate(entry.measures.best),
          stackedEstimate(entry.measures.gain, signed)
        ]),
        hideCaption: true
      })
    ];
  }
  drawPage({
    title: "ictbench leaderboard",
    sections: [
      [
        "Suites",
        section("suites", "Suites", paragraph("lead", "How well language agents learn from experience: an actor plays, a reflector rewrites the " + "actor’s prompt, and the score is how much the actor improves on new tasks. The board has replayed every ranked run."), element("div", { class: "suites" }, suites.map(suiteCard)))
      ],
      ["Gains by suite", gainsSection(gains)],
      ["About", aboutSection(about)]
    ].filter(([, node]) => node)
  });
})();
