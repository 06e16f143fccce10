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
  function number(value, digits = 2) {
    return isNumber(value) ? value.toFixed(digits) : MISSING;
  }
  function signed(value, digits = 2) {
    if (!isNumber(value))
      return MISSING;
    return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
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
  function isNumber(value) {
    return typeof value === "number" && Number.isFinite(value);
  }

  // assets/theme.js
  var STORAGE_KEY = "ictbench-theme";
  function themeButton() {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
    const button = element("button", { type: "button", class: "theme", click: toggle }, "Dark");
    function show() {
      button.setAttribute("aria-pressed", String(isDark()));
    }
    function toggle() {
      root.dataset.theme = isDark() ? "light" : "dark";
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
    const links = sections.map(([name, node]) => element("li", {}, element("a", { href: `#${node.id}` }, name)));
    document.getElementById("top").append(element("div", { class: "title" }, trail.map(([text, href]) => element("a", { href, class: "back" }, text)), element("h1", {}, title), subtitle ? element("p", {}, subtitle) : null), element("nav", { "aria-label": "Sections" }, element("ul", {}, links)), themeButton());
    document.getElementById("content").replaceChildren(...sections.map(([, node]) => node));
    scrollToAddress();
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
    const head = element("tr", {}, columns.map((column) => element("th", { scope: "col" }, column)));
    const body = rows.map(([first, ...rest]) => element("tr", {}, element("th", { scope: "row" }, first), rest.map((cell) => element("td", {}, cell))));
    const table = element("table", {}, element("caption", { class: hideCaption ? "visually-hidden" : null }, caption), element("thead", {}, head), element("tbody", {}, body));
    return scrollBox(table, caption);
  }
  function scrollBox(content, label) {
    return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, content);
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

  // board/assets/entry-format.js
  var compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
  function ranksText({ ranks }) {
    const [low, high] = ranks;
    return low === high ? String(low) : `${low}–${high}`;
  }
  function entryLink(entry, href) {
    return element("a", { href, class: "entry" }, entry.name);
  }

  // board/assets/index.js
  var { suites } = pageDocument();
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
          entryLink(entry, `${folder}/entries/${entry.slug}.html`),
          ranksText(entry),
          baseToBest(entry.measures),
          estimate(entry.measures.best),
          estimate(entry.measures.gain, signed)
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
      ]
    ]
  });
})();
