"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const AT_ONCE = 50;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Dark or light, as the system has it until somebody chooses.
const root = document.documentElement;
document.getElementById("theme").addEventListener("click", () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
});

// Tables sort by the column whose head is clicked.
for (const table of document.querySelectorAll("table.sort")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    head.tabIndex = 0;
    const sort = () => {
      const descending = head.getAttribute("aria-sort") !== "descending";
      table.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const key = row => {
        const text = row.cells[column].textContent.trim();
        const number = parseFloat(text.replaceAll(",", ""));
        return Number.isNaN(number) ? text : number;
      };
      const rows = [...table.tBodies[0].rows].sort((one, other) => {
        const [a, b] = [key(one), key(other)];
        const order = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? 1 : -1;
        return descending ? -order : order;
      });
      table.tBodies[0].append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
  });
}

// A case is [start, end, gold, found, probability], and start and end of what was found where they are others.
const isWrong = one => one[2] !== "" && one[3] === "" || one[2] === "" || one[5] !== undefined || !one[2].split("|").includes(one[3]);
const isWrongTag = one => one[2] !== one[3];

function marks(characters, spans, colors) {
  // Spans that overlap go to lines of their own.
  const lines = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const line = lines.find(each => each[each.length - 1].end <= span.start);
    if (line) line.push(span); else lines.push([span]);
  }
  return (lines.length ? lines : [[]]).map(line => {
    const shown = element("div");
    let at = 0;
    for (const span of line) {
      shown.append(characters.slice(at, span.start).join(""));
      const mark = element("mark", { style: `background: ${colors[span.label] || "#ddd"}` }, characters.slice(span.start, span.end).join(""));
      if (span.wrong) mark.classList.add("wrong");
      mark.append(element("small", {}, span.label + (span.p === null ? "" : ` ${span.p.toFixed(2)}`)));
      shown.append(mark);
      at = span.end;
    }
    shown.append(characters.slice(at).join(""));
    return shown;
  });
}

class Explorer {
  constructor(section) {
    this.section = section;
    this.part = DATA.components[section.dataset.component];
    this.list = section.querySelector(".tweets");
    this.count = section.querySelector(".count");
    this.more = section.querySelector(".more");
    this.controls = section.querySelector(".controls");
    this.limit = AT_ONCE;
    for (const control of this.controls.querySelectorAll("select, input")) control.addEventListener("input", () => this.renew());
    this.controls.querySelector(".clear").addEventListener("click", () => { this.clear(); this.renew(); });
    this.more.addEventListener("click", () => { this.limit += AT_ONCE; this.show(); });
    for (const cell of section.querySelectorAll(".confusion button")) {
      cell.addEventListener("click", () => {
        this.clear();
        this.control("gold").value = cell.dataset.gold;
        this.control("found").value = cell.dataset.found;
        this.renew();
        this.section.querySelector(".explorer").scrollIntoView({ block: "start" });
      });
    }
    this.show();
  }
  control(name) { return this.controls.querySelector(`[name="${name}"]`); }
  clear() {
    this.control("list").value = "all";
    for (const name of ["gold", "found", "search", "file"]) if (this.control(name)) this.control(name).value = "";
  }
  renew() { this.limit = AT_ONCE; this.show(); }
  value(name) { return this.control(name) ? this.control(name).value : ""; }
  chosen() {
    const { texts, lists } = this.part;
    const [list, gold, found, search, file] = ["list", "gold", "found", "search", "file"].map(name => this.value(name));
    const wanted = search.toLowerCase();
    const fits = this.fits = one => (gold === "" || one[2] === (gold === DATA.none ? "" : gold)) && (found === "" || one[3] === (found === DATA.none ? "" : found));
    const order = list === "all" ? Object.keys(texts) : lists[list];
    return order.filter(number => {
      const text = texts[number];
      return text && (wanted === "" || text.text.toLowerCase().includes(wanted)) && (file === "" || String(text.source) === file)
        && (gold === "" && found === "" || text.cases.some(fits));
    });
  }
  show() {
    const chosen = this.chosen();
    const [gold, found] = [this.value("gold"), this.value("found")];
    for (const cell of this.section.querySelectorAll(".confusion button")) {
      cell.setAttribute("aria-pressed", String(gold !== "" && cell.dataset.gold === gold && cell.dataset.found === found));
    }
    const total = Object.keys(this.part.texts).length;
    this.count.textContent = `${chosen.length.toLocaleString("en")} of ${total.toLocaleString("en")} texts on this page`;
    this.list.replaceChildren(...chosen.slice(0, this.limit).map(number => this.tweet(number)));
    this.more.hidden = chosen.length <= this.limit;
  }
  tweet(number) {
    const text = this.part.texts[number];
    const shown = element("article", { class: "tweet", tabindex: "0" });
    const head = element("header", {}, element("span", {}, `text ${Number(number) + 1}`));
    if (DATA.sources.length > 1) head.append(element("span", {}, DATA.sources[text.source]));
    if (text.log !== undefined) head.append(element("span", {}, `log P(gold) ${text.log.toFixed(1)}`));
    const suspect = this.value("list") === "suspects" ? this.part.suspects[number] : undefined;
    const characters = Array.from(text.text);
    if (suspect) {
      const where = suspect.map(one => `“${characters.slice(one.start, one.end).join("")}” ${one.p < 0.001 ? one.p.toExponential(1) : one.p.toFixed(3)}`);
      head.append(element("span", {}, `P(gold label) at ${where.join(", ")}`));
    }
    shown.append(head);
    if (this.part.kind === "tokens") shown.append(this.tokens(text, characters, suspect || []));
    else shown.append(...this.spans(text, characters));
    return shown;
  }
  tokens(text, characters, suspect) {
    const theirs = new Map((text.theirs || []).map(one => [one[0], one[3]]));
    return element("div", { class: "tokens" }, ...text.cases.map(one => {
      const word = characters.slice(one[0], one[1]).join("");
      const token = element("span", {}, element("small", {}, one[2] || one[3]), word);
      if (one[2] && isWrongTag(one)) {
        token.classList.add("wrong");
        token.append(element("small", {}, one[3] || DATA.none));
      }
      if (theirs.has(one[0]) && theirs.get(one[0]) !== one[3]) token.append(element("small", {}, `other: ${theirs.get(one[0]) || DATA.none}`));
      if (one[4] !== null) token.title = `${one[3]}: ${one[4]}`;
      const isAsked = (this.value("gold") !== "" || this.value("found") !== "") && this.fits(one);
      if (isAsked || suspect.some(place => place.start === one[0])) token.classList.add("asked");
      return token;
    }));
  }
  spans(text, characters) {
    const rows = [];
    const row = (title, spans) => {
      for (const line of marks(characters, spans, DATA.colors)) {
        rows.push(element("div", { class: "row" }, element("span", {}, title), line));
        title = "";
      }
    };
    const gold = text.cases.filter(one => one[2]).map(one => ({ start: one[0], end: one[1], label: one[2], p: null, wrong: false }));
    const place = one => one[5] === undefined ? { start: one[0], end: one[1] } : { start: one[5], end: one[6] };
    const found = cases => cases.filter(one => one[3]).map(one => ({ ...place(one), label: one[3], p: one[4], wrong: this.part.hasGold && isWrong(one) }));
    if (this.part.hasGold) row("gold", gold);
    row("found", found(text.cases));
    if (text.theirs) row("other", found(text.theirs));
    return rows;
  }
}

for (const section of document.querySelectorAll("section[data-component]")) new Explorer(section);

// The lowest threshold with the wanted precision.
for (const box of document.querySelectorAll(".wanted")) {
  const curve = DATA.components[box.dataset.component].thresholds;
  const input = box.querySelector("input"), output = box.querySelector("output");
  const tell = () => {
    const wanted = Number(input.value) / 100;
    let best = null;
    for (const row of [...curve].reverse()) { if (row.p < wanted) break; best = row; }
    output.textContent = best ? `threshold ${best.threshold.toFixed(2)}: precision ${(100 * best.p).toFixed(1)}, recall ${(100 * best.r).toFixed(1)}` : "no threshold reaches it";
  };
  input.addEventListener("input", tell);
  tell();
}

// Keys: / to search, j and k from text to text, d for dark or light.
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "d") document.getElementById("theme").click();
  if (event.key === "/") {
    const search = document.querySelector(".controls input[name=search]");
    if (search) { event.preventDefault(); search.focus(); }
  }
  if (event.key === "j" || event.key === "k") {
    const tweets = [...document.querySelectorAll(".tweet")];
    const at = tweets.indexOf(document.activeElement);
    const next = tweets[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), tweets.length - 1)];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  }
});
