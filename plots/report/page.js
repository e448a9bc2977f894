"use strict";
// Sorting of tables. Without it they keep the order that they were written in.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  if (body.rows.length < 2) continue;
  const key = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent.replace(/\*$/, "");
  const compare = (a, b) => {
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", {numeric: true}) : x - y;
  };
  headers.forEach((header, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.replaceChildren(button);
    header.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      for (const h of headers) h.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((r, s) => {
        const a = key(r, i), b = key(s, i);
        if (a === "" || b === "") return (a === "") - (b === ""); // cells without a value stay last
        return up ? compare(a, b) : compare(b, a);
      });
      body.append(...rows);
      document.getElementById("announce").textContent =
        table.caption.textContent + ": sorted by " + button.textContent + ", " + (up ? "ascending" : "descending");
    });
  });
}
