// Many pictures at once: one is chosen, and the choice confirmed.

import { element, keycap, onKeys, show, textButton } from "./screen.js";

const NAMES = "123456789abcdefghijklmnopqrstuvwxyz";
const GAP = 8;
const SMALLEST = 96;
const LARGEST = 240;

/** Show the grid; resolve to the index of the picture that was confirmed. */
export const pick = (question, images) => new Promise((resolve) => {
  const tiles = images.map((image, index) => element(
    "button", { type: "button", className: "tile", "aria-pressed": "false" },
    image, keycap((NAMES[index] ?? "").toUpperCase())));
  const confirm = textButton("Confirm", "Enter", { className: "primary", disabled: true });
  const grid = element("div", { className: "stage grid" }, ...tiles);
  show("trial", element("h1", {}, question), grid,
    element("div", { className: "buttons last" }, confirm));
  const stopLayout = keepLayout(grid, tiles.length);

  let selected = -1;
  const select = (index) => {
    if (index < 0 || index >= tiles.length) return;
    selected = index;
    tiles.forEach((tile, other) => tile.setAttribute("aria-pressed", String(other === index)));
    tiles[index].focus();
    confirm.disabled = false;
  };
  const finish = () => {
    stopKeys();
    stopLayout();
    for (const button of [...tiles, confirm]) button.disabled = true;
    resolve(selected);
  };
  const stopKeys = onKeys((key) => {
    if (key === "enter") return enter();
    const step = steps(grid)[key];
    const index = step === undefined ? NAMES.indexOf(key) : selected < 0 ? 0 : selected + step;
    if (step === undefined && (key.length !== 1 || index < 0)) return false;
    select(index);
    return true;
  });
  const enter = () => {
    const focused = tiles.indexOf(document.activeElement);
    if (selected < 0 || (focused >= 0 && focused !== selected)) return false;
    finish();
    return true;
  };
  tiles.forEach((tile, index) => tile.addEventListener("click", () => select(index)));
  confirm.addEventListener("click", finish);
});

const columns = (grid) => Number(grid.style.getPropertyValue("--columns"));

const steps = (grid) => ({
  arrowleft: -1, arrowright: 1, arrowup: -columns(grid), arrowdown: columns(grid),
});

/** Make the tiles as large as lets all of them fit, and keep them so; return how to stop that. */
function keepLayout(grid, count) {
  const lay = () => {
    const width = grid.parentElement.clientWidth - 2 * GAP;
    const height = innerHeight - grid.getBoundingClientRect().top - scrollY - 130;
    const { columns: number, size } = layout(count, width, height);
    grid.style.setProperty("--columns", number);
    grid.style.setProperty("--tile", `${size}px`);
  };
  lay();
  addEventListener("resize", lay);
  return () => removeEventListener("resize", lay);
}

/** Return the number of columns and the side of a tile; taller than the window if it must be. */
export function layout(count, width, height) {
  let best = { columns: 1, size: 0 };
  for (let number = 1; number <= count; number += 1) {
    const wide = (width - GAP * (number - 1)) / number;
    const rows = Math.ceil(count / number);
    const size = Math.floor(Math.min(wide, (height - GAP * (rows - 1)) / rows, LARGEST));
    if (size > best.size) best = { columns: number, size };
  }
  if (best.size >= SMALLEST) return best;
  const number = Math.max(2, Math.floor((width + GAP) / (SMALLEST + GAP)));
  return { columns: number, size: Math.floor((width - GAP * (number - 1)) / number) };
}
