"use strict";
const table = document.querySelector(".comparison");
const models = table.querySelector(".models");
const headings = [...table.querySelectorAll("thead th")];

const valueOf = (row, column) => {
  const text = row.cells[column].dataset.value ?? "";
  return column < 2 ? text : text === "" ? NaN : Number(text);
};
const compare = (one, other, distance) =>
  typeof one === "string" ? one.localeCompare(other) :
  distance ? Math.abs(one) - Math.abs(other) : one - other;

function sortBy(column) {
  const heading = headings[column];
  const better = heading.dataset.better;
  const first = better === "higher" || better === "none" ? "descending" : "ascending";
  const second = first === "ascending" ? "descending" : "ascending";
  const order = heading.getAttribute("aria-sort") === first ? second : first;
  const sign = order === "ascending" ? 1 : -1;
  const missing = (row) => Number.isNaN(valueOf(row, column));
  const rows = [...models.rows].sort((a, b) => missing(a) - missing(b) ||
    sign * compare(valueOf(a, column), valueOf(b, column), better === "closest to 0") || 0);
  models.append(...rows);
  headings.forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", order);
}
headings.forEach((heading, column) =>
  heading.querySelector("button").addEventListener("click", () => sortBy(column)));

const viewer = document.querySelector("#viewer");
let strip = [];
let place = 0;

function show(next) {
  place = (next + strip.length) % strip.length;
  const tile = strip[place];
  const picture = tile.querySelector("img");
  const large = viewer.querySelector("img");
  large.src = picture.src;
  large.alt = picture.alt;
  large.style.maxWidth = `${10 * picture.naturalWidth}px`;
  viewer.querySelector("output").textContent = tile.dataset.title;
}
document.querySelectorAll(".tile").forEach((tile) => tile.addEventListener("click", () => {
  strip = [...tile.parentElement.children];
  show(strip.indexOf(tile));
  viewer.showModal();
}));
viewer.addEventListener("click", (event) => {
  const step = event.target.dataset.step;
  if (step) show(place + Number(step)); else viewer.close();
});
viewer.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) show(place + step);
});
