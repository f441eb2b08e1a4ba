// The samples of a task: an index of all to filter and sort, and details that are loaded when they are shown, 50 at a
// time. What a record says only ever becomes text, or an img, audio or video of this site.
"use strict";
(function () {
  const PAGE = 50, { element, long } = window.__text, { rounded, verdict, medium, turnOf, diffed, chunks } = window.__shown;
  const ID = 0, VALUE = 1, WRONG = 2, STATUS = 3, TAGS = 4;
  const byId = (id) => document.getElementById(id);
  const filter = byId("filter"), tag = byId("tag"), order = byId("order"), find = byId("find");
  const holder = byId("samples"), place = byId("place"), previous = byId("previous"), next = byId("next");
  let index = null, details = null, shown = [], page = 0, current = -1, turn = 0;

  window.__index = function (given) {
    index = given;
    details = chunks(index.data);
    index.tags.forEach((pair, i) => tag.append(new Option(`${pair[0]}: ${pair[1]}`, String(i))));
    tag.parentElement.hidden = index.tags.length === 0;
    if (!open()) choose();
  };
  // An address that ends in #id=... opens with that sample.
  function open() {
    const id = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("id");
    const at = id === null || !index ? -1 : index.rows.findIndex((row) => row[ID] === id);
    if (at < 0) return false;
    filter.value = "all";
    tag.value = "";
    order.value = "log";
    find.value = id;
    choose();
    page = Math.floor(shown.indexOf(at) / PAGE);
    draw().then(() => go(1 + (shown.indexOf(at) % PAGE)));
    return true;
  }
  const tests = {
    all: () => true,
    wrong: (row) => row[WRONG] === true,
    failed: (row) => row[STATUS] === "failed",
    unscored: (row) => row[STATUS] === "unscored",
  };
  function choose() {
    const wanted = tag.value === "" ? null : Number(tag.value), text = find.value;
    const keep = (row) => tests[filter.value](row) && (wanted === null || row[TAGS].includes(wanted)) && row[ID].includes(text);
    shown = index.rows.map((row, i) => i).filter((i) => keep(index.rows[i]));
    if (order.value !== "log") {
      const sign = (index.higher ? 1 : -1) * (order.value === "worst" ? 1 : -1);
      const value = (i) => index.rows[i][VALUE];
      shown.sort((a, b) => (value(a) === null || value(b) === null ? (value(a) === null) - (value(b) === null) : sign * (value(a) - value(b))));
    }
    page = 0;
    draw();
  }
  async function draw() {
    const mine = ++turn, from = page * PAGE, numbers = shown.slice(from, from + PAGE);
    place.textContent = numbers.length ? `${from + 1}–${from + numbers.length} of ${shown.length}` : "no samples";
    previous.disabled = page === 0;
    next.disabled = from + PAGE >= shown.length;
    const found = await Promise.all(numbers.map((i) => details(Math.floor(i / index.chunk))));
    if (mine !== turn) return; // another page was asked for meanwhile
    holder.replaceChildren(...numbers.map((i, n) => sample(index.rows[i], found[n] && found[n][i % index.chunk])));
    current = -1;
  }
  function sample(row, about) {
    const head = element("div", "head", element("h3", "", long(row[ID])));
    const made = element("article", "sample", head);
    made.tabIndex = -1;
    if (!about) {
      made.append(element("p", "banner", "The details of this sample are not beside the page."));
      return made;
    }
    head.append(about.scores.length ? verdict(about.scores[0]) : element("span", "verdict", "no score: the log changed after it was scored"));
    about.messages.forEach((message) => made.append(turnOf(message)));
    made.append(answer(about));
    made.append(scores(about));
    const list = element("dl", "row");
    Object.entries(about.row).forEach((field) => list.append(element("dt", "", long("row: " + field[0])), element("dd", "", long(field[1]))));
    if (about.cluster !== null) list.append(element("dt", "", "cluster"), element("dd", "", long(about.cluster)));
    if (about.tags.length) list.append(element("dt", "", "counts in"), element("dd", "", long(about.tags.join("\n"))));
    made.append(element("h4", "", "Row of the benchmark, gold answer included"), list);
    const small = Object.entries(about.times).map((pair) => `${pair[0]} ${rounded(pair[1])}`);
    if (small.length) made.append(element("p", "grey small", small.join(" · ")));
    return made;
  }
  function answer(about) {
    const box = element("section", "turn answer", element("h4", "", "model's answer"));
    if (about.answer !== null) box.append(long(about.answer, "said"));
    else box.append(element("p", "grey", "(none)"));
    if (about.truncated) box.append(element("p", "grey small", "ended at the token limit"));
    if (about.speech) box.append(medium(about.speech));
    const list = element("dl", "");
    const say = (name, node) => list.append(element("dt", "", name), element("dd", "", node));
    if (about.failure) say("failure", long(`${about.failure[0]} / ${about.failure[1]}: ${about.failure[2]}`));
    if (about.steps.length) say("after " + about.steps.join(", "), about.taken === null ? "(no answer)" : long(about.taken));
    if (about.raw !== null && about.raw !== about.answer) say("raw output", long(about.raw));
    Object.entries(about.judgements).forEach((pair) => say(`judge, ${pair[0]}`, long(pair[1])));
    if (list.children.length) box.append(list);
    return box;
  }
  function scores(about) {
    const box = element("section", "scores");
    about.scores.forEach(function (score, n) {
      const name = [score.profile, score.channel].filter(Boolean).join(", ");
      const line = element("div", "profile", element("h4", "", n ? name : `${name} (headline)`), verdict(score));
      const list = element("dl", "");
      const say = (label, ...nodes) => list.append(element("dt", "", label), element("dd", "", ...nodes));
      if (score.reason) say(score.status === "unscored" ? "not scored because" : "reason", long(score.reason));
      if (score.extracted !== null && score.extracted !== about.answer) say("read as", long(score.extracted));
      if (score.shown) compared(score, say);
      const parts = Object.entries(score.parts).map((pair) => `${pair[0]} ${rounded(pair[1])}`);
      if (parts.length) say("parts", parts.join(" · "));
      if (list.children.length) line.append(list);
      box.append(line);
    });
    return box;
  }
  function compared(score, say) {
    say("reference as compared", long(score.shown[0]));
    say("answer as compared", long(score.shown[1]));
    const line = diffed(score.shown[0], score.shown[1], score);
    if (line) say("reference → answer", line);
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
  function move(step) {
    page += step;
    draw().then(() => holder.scrollIntoView());
  }
  [filter, tag, order].forEach((control) => control.addEventListener("change", choose));
  find.addEventListener("input", choose);
  addEventListener("hashchange", open);
  previous.addEventListener("click", () => move(-1));
  next.addEventListener("click", () => move(1));
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || ["SELECT", "INPUT"].includes(event.target.tagName)) return;
    if (event.key === "j") go(1);
    if (event.key === "k") go(-1);
  });
})();
