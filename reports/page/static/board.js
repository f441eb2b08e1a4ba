// The leaderboard: groups as tabs, sort, filter, columns and another scoring profile. The address after # holds the
// view, so that a copied address shows it again. Without this script every group stands below the other.
"use strict";
(function () {
  const byId = (id) => document.getElementById(id), { element, visible } = window.__text;
  const panels = Array.from(document.querySelectorAll(".panel")), tabs = byId("tabs");
  const q = byId("q"), kind = byId("kind"), sort = byId("sort"), profile = byId("profile"), columns = byId("columns");
  const fields = ["group", "sort", "dir", "q", "kind", "profile", "hide"];
  const state = Object.fromEntries(fields.map((name) => [name, ""]));
  const kept = new Map(); // cell -> [its nodes, value, classes] under the headline's profile
  let others = {};

  window.__board = function (given) {
    others = given;
    read();
  };
  const heads = (panel) => Array.from(panel.querySelectorAll("table.board thead th"));
  const panel = () => panels.find((one) => one.dataset.group === state.group) || panels.find((one) => one.dataset.first) || panels[0];
  const label = (head) => head.innerText.replace(/\s+/g, " ").trim();
  const hidden = () => new Set(state.hide.split(",").filter(Boolean));

  function read() {
    const given = new URLSearchParams(location.hash.slice(1));
    fields.forEach((name) => (state[name] = given.get(name) || ""));
    state.group = panel().dataset.group;
    q.value = state.q;
    kind.value = state.kind;
    profile.value = state.profile;
    if (kind.selectedIndex < 0) kind.value = state.kind = "";
    if (profile.selectedIndex < 0) profile.value = state.profile = "";
    draw();
  }
  function change(name, value) {
    state[name] = value;
    const said = new URLSearchParams(fields.filter((one) => state[one]).map((one) => [one, state[one]]));
    history.replaceState(null, "", "#" + said);
    draw();
  }
  function draw() {
    const shown = panel();
    panels.forEach((one) => (one.hidden = one !== shown));
    Array.from(tabs.children).forEach(function (tab) {
      const chosen = tab.dataset.group === shown.dataset.group;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    });
    const known = heads(shown);
    sort.replaceChildren(new Option("by rank", ""), ...known.map((head) => new Option(label(head), head.dataset.key)));
    if (!known.some((head) => head.dataset.key === state.sort)) sort.value = "";
    else sort.value = state.sort;
    byId("controls").hidden = !known.length; // the table of every number is no board
    columns.replaceChildren(...known.slice(1).map(box));
    switchProfile();
    panels.forEach(order);
    filter(shown);
    hideColumns();
  }
  function box(head) {
    const made = element("input", "");
    made.type = "checkbox";
    made.checked = !hidden().has(head.dataset.key);
    made.addEventListener("change", function () {
      const gone = hidden();
      if (made.checked) gone.delete(head.dataset.key);
      else gone.add(head.dataset.key);
      const focused = Array.from(columns.querySelectorAll("input")).indexOf(made);
      change("hide", Array.from(gone).join(","));
      columns.querySelectorAll("input")[focused].focus();
    });
    return element("label", "", made, " " + label(head));
  }
  function hideColumns() {
    const gone = hidden();
    panels.forEach(function (one) {
      const out = heads(one).map((head) => gone.has(head.dataset.key));
      one.querySelectorAll("table.board tr:not(.split)").forEach((row) => Array.from(row.cells).forEach((cell, i) => (cell.hidden = out[i])));
    });
  }
  // First click best first: largest where higher is better, else smallest; what is missing is last, both ways.
  function order(one) {
    const found = heads(one), at = found.findIndex((head) => head.dataset.key === state.sort && state.sort !== "");
    const best = at < 0 || found[at].dataset.higher !== "1";
    const up = state.dir === "worst" ? !best : best;
    found.forEach((head, i) => (i === at ? head.setAttribute("aria-sort", up ? "ascending" : "descending") : head.removeAttribute("aria-sort")));
    const numeric = at >= 0 && found[at].dataset.higher !== undefined;
    const key = (row) => (numeric ? (row.cells[at].dataset.value === "" || row.cells[at].dataset.value === undefined ? null : Number(row.cells[at].dataset.value)) : (row.cells[at].dataset.value || row.cells[at].textContent).trim());
    one.querySelectorAll("table.board tbody").forEach(function (body) {
      const rows = Array.from(body.querySelectorAll("tr[data-n]"));
      if (at < 0) rows.sort((a, b) => a.dataset.place - b.dataset.place);
      else
        rows.map((row) => [key(row), row]).sort(function (a, b) {
          if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null);
          const apart = numeric ? a[0] - b[0] : a[0].localeCompare(b[0]);
          return up ? apart : -apart;
        }).forEach((pair, i) => (rows[i] = pair[1]));
      body.append(...rows);
    });
  }
  function filter(shown) {
    const wanted = state.q.toLowerCase();
    let n = 0, all = 0;
    panels.forEach((one) => one.querySelectorAll("table.board tbody").forEach(function (body) {
      let left = 0;
      body.querySelectorAll("tr[data-n]").forEach(function (row) {
        row.hidden = !row.dataset.text.toLowerCase().includes(wanted) || (state.kind !== "" && row.dataset.kind !== state.kind);
        left += !row.hidden;
        if (one === shown) { all += 1; n += !row.hidden; }
      });
      body.hidden = left === 0;
    }));
    const under = state.profile ? `numbers of profile ${state.profile} where a task has it, others marked; win rates and ranks are of the headlines` : "";
    byId("said").textContent = [n < all ? `${n} of ${all} runs` : "", under].filter(Boolean).join(" · ");
  }
  function switchProfile() {
    const own = state.profile ? others[state.profile] || {} : {};
    document.querySelectorAll("td[data-cell]").forEach(function (cell) {
      const shown = cell.querySelector(".shown");
      if (!kept.has(cell)) kept.set(cell, [Array.from(shown.childNodes), cell.dataset.value, cell.className]);
      const [nodes, value, classes] = kept.get(cell), found = own[cell.dataset.cell];
      shown.replaceChildren(...nodes.map((node) => node.cloneNode(true)));
      cell.dataset.value = value;
      cell.className = classes;
      if (!state.profile || cell.classList.contains("missing")) return;
      if (!found) {
        if (cell.dataset.profile === state.profile) return;
        shown.append(element("br", ""), element("span", "warn small", `still ${cell.dataset.profile}`));
        cell.className = classes.replace(/ (best|tied)$/, "") + " kept";
        return;
      }
      const [text, number, interval, count, place, remarks] = found, link = element("a", "value", text);
      link.href = shown.querySelector("a").getAttribute("href");
      const more = [interval && element("span", "small", interval), count && element("span", "grey small", `n = ${count.toLocaleString("en")}`)];
      remarks.forEach((remark) => more.push(element("span", "warn small", ...visible(remark))));
      shown.replaceChildren(link, place === "tied" ? element("span", "small", " tied") : place ? element("span", "sr", " best") : "");
      more.filter(Boolean).forEach((node) => shown.append(element("br", ""), node));
      cell.dataset.value = number === null ? "" : String(number);
      cell.className = ["n", number === null ? "invalid" : "ok", place].filter(Boolean).join(" ");
    });
  }
  function makeTabs() {
    panels.forEach(function (one) {
      const tab = element("button", "", one.querySelector("h2").textContent);
      tab.type = "button";
      tab.id = "tab-" + one.dataset.group;
      tab.dataset.group = one.dataset.group;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", one.id);
      one.setAttribute("role", "tabpanel");
      one.setAttribute("aria-labelledby", tab.id);
      tab.addEventListener("click", () => change("group", one.dataset.group));
      tabs.append(tab);
    });
    tabs.addEventListener("keydown", function (event) {
      const all = Array.from(tabs.children), at = all.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      const next = all[to % all.length];
      change("group", next.dataset.group);
      next.focus();
    });
  }
  panels.forEach((one) => one.querySelectorAll("tr[data-n]").forEach((row, i) => (row.dataset.place = i)));
  panels.forEach((one) => heads(one).forEach(function (head) {
    const button = element("button", "");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", function () {
      state.dir = state.sort === head.dataset.key && state.dir === "" ? "worst" : "";
      change("sort", head.dataset.key);
    });
  }));
  makeTabs();
  [q, kind, profile].forEach((control) => control.addEventListener("input", () => change(control.id, control.value)));
  sort.addEventListener("input", () => { state.dir = ""; change("sort", sort.value); });
  addEventListener("hashchange", read);
  document.body.classList.add("tabbed");
  tabs.hidden = false;
  read();
})();
