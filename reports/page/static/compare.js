// The samples that changed between two runs, by task and kind of change, 50 at a time, both answers side by side. The
// details are those of the two runs' own pages.
"use strict";
(function () {
  const PAGE = 50, { element, long } = window.__text, { chunks, rounded, verdict, turnOf, diffed, medium } = window.__shown;
  const NAME = 0, KIND = 1, GAIN = 2, PLACES = 3;
  const SIDES = ["first", "second"];
  const byId = (id) => document.getElementById(id);
  const task = byId("task"), holder = byId("samples"), place = byId("place"), cut = byId("cut"), panel = byId("panel");
  const previous = byId("previous"), next = byId("next");
  const tabs = Array.from(document.querySelectorAll("[role=tab]"));
  const waiting = new Map(), lists = new Map(); // number of a task -> what resolves its list, and the promise of it
  let about = null, kind = "fixed", page = 0, turn = 0;

  window.__compared = function (given) {
    about = given;
    about.tasks.forEach((one) => { one.chunks = one.data.map(chunks); });
    follow();
  };
  window.__changed = (number, rows) => waiting.get(number)(rows);

  function list(number) {
    if (!lists.has(number))
      lists.set(number, new Promise(function (resolve) {
        waiting.set(number, resolve);
        const script = document.createElement("script");
        script.src = "../" + about.data + number + ".js";
        script.addEventListener("error", () => resolve(null));
        document.body.append(script);
      }));
    return lists.get(number);
  }
  // Opens what the address names: #task=0&kind=broken; without it the first that has samples.
  function follow() {
    const named = new URLSearchParams(location.hash.slice(1));
    const some = (one, name) => one.counts[name] > 0;
    const kinds = tabs.map((tab) => tab.dataset.kind);
    let number = about.tasks[named.get("task")] ? Number(named.get("task")) : -1;
    if (number < 0) number = Math.max(0, about.tasks.findIndex((one) => kinds.some((name) => some(one, name))));
    const wanted = kinds.includes(named.get("kind")) ? named.get("kind") : null;
    task.value = String(number);
    choose(wanted || kinds.find((name) => some(about.tasks[number], name)) || kinds[0]);
    if (location.hash) byId("changed").scrollIntoView();
  }
  function choose(wanted) {
    kind = wanted;
    page = 0;
    const counts = about.tasks[task.value].counts;
    tabs.forEach(function (tab) {
      const chosen = tab.dataset.kind === kind;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      tab.textContent = `${tab.dataset.kind} ${counts[tab.dataset.kind].toLocaleString("en")}`;
      if (chosen) panel.setAttribute("aria-labelledby", tab.id);
    });
    draw();
  }
  async function draw() {
    const mine = ++turn, one = about.tasks[task.value], rows = await list(Number(task.value));
    if (mine !== turn) return; // something else was asked for meanwhile
    const all = (rows || []).filter((row) => row[KIND] === kind), from = page * PAGE, shown = all.slice(from, from + PAGE);
    const found = await Promise.all(shown.flatMap((row) => SIDES.map((_, side) => detail(one, row, side))));
    if (mine !== turn) return;
    holder.replaceChildren(...shown.map((row, n) => sample(one, row, found.slice(2 * n, 2 * n + 2))));
    if (!rows) holder.append(element("p", "banner", "The list of these samples is not beside the page."));
    else if (!shown.length) holder.append(element("p", "grey", `No sample is ${kind}.`));
    cut.hidden = all.length >= one.counts[kind] || !rows;
    cut.textContent = `The ${all.length.toLocaleString("en")} largest changes of ${one.counts[kind].toLocaleString("en")}.`;
    place.textContent = shown.length ? `${from + 1}–${from + shown.length} of ${all.length}` : "no samples";
    previous.disabled = page === 0;
    next.disabled = from + PAGE >= all.length;
  }
  async function detail(one, row, side) {
    const at = row[PLACES + side], rows = await one.chunks[side](Math.floor(at / about.chunk));
    return rows && rows[at % about.chunk];
  }
  function sample(one, row, both) {
    const gain = row[GAIN] ? `${row[GAIN] > 0 ? "better" : "worse"} by ${rounded(Math.abs(row[GAIN]))}` : "";
    const head = element("div", "head", element("h3", "", long(row[NAME])), element("span", "verdict", [row[KIND], gain].filter(Boolean).join(", ")));
    const made = element("article", "sample", head);
    const links = element("p", "small", "In the ");
    SIDES.forEach(function (side, n) {
      const link = element("a", "", side + " run");
      link.href = `${one.pages[n]}#id=${encodeURIComponent(row[NAME])}`;
      link.setAttribute("aria-label", `Sample ${row[NAME]} in the ${side} run`);
      links.append(n ? " · in the " : "", link);
    });
    made.append(links);
    asked(both).forEach((message) => made.append(turnOf(message)));
    const known = both.find(Boolean), score = known && known.scores[0];
    if (score && score.shown) made.append(element("dl", "", element("dt", "", "reference as compared"), element("dd", "", long(score.shown[0]))));
    else if (known) made.append(gold(known));
    made.append(element("div", "sides", ...both.map(answer)));
    if (both[0] && both[1] && both[0].answer !== null && both[1].answer !== null) made.append(difference(both[0], both[1]));
    return made;
  }
  // What both were asked: media from the run whose files are there.
  function asked(both) {
    const [one, other] = both;
    if (!one || !other) return (one || other || { messages: [] }).messages;
    return one.messages.map(function (message, i) {
      const theirs = other.messages[i] ? other.messages[i].parts : [];
      return { role: message.role, parts: message.parts.map((part, j) => (part.note && theirs[j] && theirs[j].src ? theirs[j] : part)) };
    });
  }
  function gold(about) {
    const list = element("dl", "row");
    Object.entries(about.row).forEach((field) => list.append(element("dt", "", long("row: " + field[0])), element("dd", "", long(field[1]))));
    return element("details", "", element("summary", "", "Row of the benchmark, gold answer included"), list);
  }
  function answer(told, side) {
    const box = element("section", "turn answer", element("h4", "", `${SIDES[side]}: `, long(about.runs[side], "inline")));
    if (!told) {
      box.append(element("p", "banner", "The details of this sample are not beside the page."));
      return box;
    }
    const score = told.scores[0];
    box.append(score ? verdict(score) : element("span", "verdict", "no score"));
    box.append(told.answer === null ? element("p", "grey", "(none)") : long(told.answer, "said"));
    if (told.truncated) box.append(element("p", "grey small", "ended at the token limit"));
    if (told.speech) box.append(medium(told.speech));
    const list = element("dl", "");
    const say = (name, text) => list.append(element("dt", "", name), element("dd", "", long(text)));
    if (told.failure) say("failure", `${told.failure[0]} / ${told.failure[1]}: ${told.failure[2]}`);
    if (score && score.extracted !== null && score.extracted !== told.answer) say("read as", score.extracted);
    if (score && score.reason) say("reason", score.reason);
    Object.entries(told.judgements).forEach((pair) => say(`judge, ${pair[0]}`, pair[1]));
    if (list.children.length) box.append(list);
    return box;
  }
  function difference(one, other) {
    const list = element("dl", "");
    if (one.answer === other.answer) return element("p", "grey small", "Both said the same; what it was scored with differs.");
    const line = diffed(one.answer, other.answer, one.scores[0] || { name: "" });
    list.append(element("dt", "", "first → second"), element("dd", "", line || "too long to be set side by side"));
    return list;
  }
  function move(step) {
    page += step;
    draw().then(() => byId("changed").scrollIntoView());
  }
  tabs.forEach((tab) => tab.addEventListener("click", () => choose(tab.dataset.kind)));
  tabs.forEach((tab, n) => tab.addEventListener("keydown", function (event) {
    const to = { ArrowRight: n + 1, ArrowLeft: n - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const target = tabs[(to + tabs.length) % tabs.length];
    target.focus();
    choose(target.dataset.kind);
  }));
  task.addEventListener("change", function () {
    const counts = about.tasks[task.value].counts, own = tabs.map((tab) => tab.dataset.kind);
    choose(counts[kind] ? kind : own.find((name) => counts[name]) || kind);
  });
  previous.addEventListener("click", () => move(-1));
  next.addEventListener("click", () => move(1));
  window.addEventListener("hashchange", follow);
})();
