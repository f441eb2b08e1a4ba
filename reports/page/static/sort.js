// Click a column's heading to sort by it. Scores sort best first, whichever direction is better; a missing one is last.
"use strict";
(function () {
  function keyOf(row, column, kind) {
    const cell = row.cells[column];
    if (!kind) return cell.textContent.trim();
    const text = cell.dataset.value;
    if (text === "" || text === undefined) return null;
    return kind === "score" && cell.dataset.higher === "1" ? -Number(text) : Number(text);
  }
  function compare(a, b) {
    return typeof a === "string" ? a.localeCompare(b) : a - b;
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    const headings = Array.from(table.tHead.rows[0].cells);
    headings.forEach(function (heading, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", function () {
        const backwards = heading.getAttribute("aria-sort") === "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", backwards ? "descending" : "ascending");
        const keyed = Array.from(table.tBodies[0].rows, (row) => [keyOf(row, column, heading.dataset.kind), row]);
        keyed.sort(function (a, b) {
          if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null);
          return backwards ? compare(b[0], a[0]) : compare(a[0], b[0]);
        });
        table.tBodies[0].append(...keyed.map((pair) => pair[1]));
      });
    });
  });
})();
