"use strict";
// Adds sorting and a filter to each table. The page is complete without it.
const words = document.body.dataset;
const value = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent;
function sort(table, column, header) {
  const ascending = header.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const isNumber = header.classList.contains("n");
  const key = (row) => isNumber ? parseFloat(value(row, column).replaceAll(",", "")) || 0 : value(row, column);
  const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
  const order = isNumber ? (a, b) => a[0] - b[0] : (a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
  rows.sort(ascending ? order : (a, b) => order(b, a));
  table.tBodies[0].append(...rows.map((row) => row[1]));
}
for (const table of document.querySelectorAll("table[data-sort]")) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(table, column, header));
    header.append(button);
  });
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 2) continue;
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("span");
  input.type = "search";
  count.setAttribute("role", "status");
  label.append(words.filter + " ", input);
  const filter = document.createElement("div");
  filter.className = "filter";
  filter.append(label, count);
  table.parentElement.before(filter);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !texts[index].includes(wanted);
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = words.rows.replace("{}", shown).replace("{}", rows.length);
  });
}
