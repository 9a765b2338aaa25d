{
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

  const sortBy = (column) => {
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
  };
  headings.forEach((heading, column) =>
    heading.querySelector("button").addEventListener("click", () => sortBy(column)));

  // Without this script everything is shown, so the choice is made here, not in the markup.
  for (const choice of document.querySelectorAll(".switch[data-for]")) {
    const target = document.getElementById(choice.dataset.for);
    const buttons = [...choice.querySelectorAll("button")];
    const show = (chosen) => {
      target.dataset.show = chosen.dataset.show;
      buttons.forEach((button) => button.setAttribute("aria-pressed", button === chosen));
    };
    buttons.forEach((button) => button.addEventListener("click", () => show(button)));
    show(buttons[0]);
  }
}
