// The samples of a task: filter, order, pages of 50. What a model said only ever becomes text, never markup.
"use strict";
(function () {
  const PAGE = 50, options = window.__options, all = [];
  const filter = document.getElementById("filter"), order = document.getElementById("order");
  const holder = document.getElementById("samples"), place = document.getElementById("place");
  const previous = document.getElementById("previous"), next = document.getElementById("next");
  let shown = [], page = 0, current = -1, perfect = 1;

  window.__add = (rows) => rows.forEach((row) => all.push(row));
  window.__show = function () {
    all.forEach((row) => { if (row.value !== null && row.value > perfect) perfect = row.value; });
    choose();
  };

  const failed = (row) => row.status === "failed" || row.failure !== null;
  const wrong = (row) => failed(row) || (row.value !== null && (options.higher ? row.value < perfect : row.value > 0));
  const tests = { all: () => true, failed, wrong, unscored: (row) => row.status === "unscored" };

  function choose() {
    shown = all.filter(tests[filter.value]);
    if (order.value !== "log") {
      const sign = (options.higher ? 1 : -1) * (order.value === "worst" ? 1 : -1);
      const none = (row) => row.value === null;
      shown.sort((a, b) => (none(a) || none(b) ? none(a) - none(b) : sign * (a.value - b.value)));
    }
    page = 0;
    draw();
  }
  function draw() {
    const from = page * PAGE, rows = shown.slice(from, from + PAGE);
    holder.replaceChildren(...rows.map(sample));
    place.textContent = rows.length ? `${from + 1}–${from + rows.length} of ${shown.length}` : "no samples";
    previous.disabled = page === 0;
    next.disabled = from + PAGE >= shown.length;
    current = -1;
  }
  function element(tag, name, ...content) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    made.append(...content); // strings become text nodes
    return made;
  }
  const told = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const rounded = (value) => String(Math.round(value * 1e4) / 1e4);

  function sample(row) {
    const score = row.value === null ? "–" : rounded(row.value);
    const mark = row.status === "ok" ? `${row.metric} ${score}` : `${row.status}${row.value === null ? "" : `, ${row.metric} ${score}`}`;
    const title = element("h3", "", row.id);
    const made = element("article", "sample", element("div", "head", title, element("span", row.status === "ok" && wrong(row) ? "failed" : row.status, mark)));
    made.tabIndex = -1;
    if (row.media.length) made.append(element("div", "media", ...row.media.map(medium)));
    const list = element("dl", "");
    const say = (name, value) => list.append(element("dt", "", name), element("dd", "", value));
    if (row.failure) say("failure", `${row.failure.stage} / ${row.failure.kind}: ${row.failure.message}`);
    if (row.reason) say(row.status === "unscored" ? "not scored because" : "reason", row.reason);
    say("prompt", row.prompt === "" ? "(no text)" : row.prompt);
    say("answer", row.text === null ? "–" : row.text + (row.truncated ? "\n[ended at the token limit]" : ""));
    if (row.raw !== null) say("raw output", row.raw);
    if (row.extracted !== row.text) say("extracted", row.extracted === null ? "–" : row.extracted);
    const reference = options.references.map((name) => row.doc[name]).find((value) => typeof value === "string");
    const edits = options.diff && reference !== undefined && row.text !== null ? window.__diff(reference, row.text, options.diff) : null;
    if (edits) {
      const line = element("dd", "diff");
      edits.forEach((edit) => line.append(edit[0] ? element(edit[0], "", edit[1]) : edit[1], options.diff === "words" ? " " : ""));
      list.append(element("dt", "", "reference → answer"), line);
    }
    Object.entries(row.doc).forEach((field) => say(field[0], told(field[1])));
    made.append(list);
    const small = Object.entries(row.parts).concat(Object.entries(row.times)).map((pair) => `${pair[0]} ${rounded(pair[1])}`);
    if (small.length) made.append(element("p", "grey small", small.join(" · ")));
    return made;
  }
  function medium(file) {
    const caption = element("figcaption", "", file.note ? `${file.kind} ${file.name}: ${file.note}` : file.name);
    if (!file.src) return element("figure", "", caption);
    const shownAs = document.createElement(file.kind === "image" ? "img" : file.kind);
    shownAs.src = "../" + file.src;
    if (file.kind === "image") { shownAs.alt = file.name; shownAs.loading = "lazy"; }
    else { shownAs.controls = true; shownAs.preload = "metadata"; shownAs.setAttribute("aria-label", file.name); }
    return element("figure", "", shownAs, caption);
  }
  function turn(step) {
    page += step;
    draw();
    holder.scrollIntoView();
  }
  function go(step) {
    const cards = holder.children, to = current + step;
    if (to < 0 || to >= cards.length) return;
    if (current >= 0) cards[current].classList.remove("current");
    current = to;
    cards[to].classList.add("current");
    cards[to].focus({ preventScroll: true });
    cards[to].scrollIntoView({ block: "start" });
  }
  filter.addEventListener("change", choose);
  order.addEventListener("change", choose);
  previous.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    if (event.key === "j") go(1);
    if (event.key === "k") go(-1);
  });
})();
