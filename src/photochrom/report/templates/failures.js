{
  const leaf = document.querySelector(".leaf");
  const sheets = leaf ? [...leaf.querySelectorAll(".failure")] : [];
  const chosen = (name) => leaf.querySelector(`select[name=${name}]`);
  const ends = leaf ? [...leaf.querySelectorAll("[data-end]")].filter((one) => one.matches("button")) : [];
  let place = 0;

  const show = (next) => {
    sheets[place].hidden = true;
    place = (next + sheets.length) % sheets.length;
    const { measure, model, end } = sheets[place].dataset;
    sheets[place].hidden = false;
    chosen("measure").value = measure;
    chosen("model").value = model;
    ends.forEach((one) => one.setAttribute("aria-pressed", one.dataset.end === end));
  };
  // Not every model has sheets of every measure: then the first that has.
  const find = (wanted) => {
    const has = (sheet, keys) => keys.every((key) => sheet.dataset[key] === wanted[key]);
    const all = sheets.findIndex((sheet) => has(sheet, ["measure", "model", "end"]));
    show(all >= 0 ? all : sheets.findIndex((sheet) => has(sheet, ["measure", "end"])));
  };
  const wanted = () => ({
    measure: chosen("measure").value,
    model: chosen("model").value,
    end: sheets[place].dataset.end,
  });

  if (leaf) {
    leaf.addEventListener("change", () => find(wanted()));
    leaf.addEventListener("click", (event) => {
      const { end, turn } = event.target.dataset;
      if (turn) show(place + Number(turn));
      else if (event.target.matches("button")) find({ ...wanted(), end });
    });
    leaf.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || event.target.matches("select, .scroll")) return;
      event.preventDefault();
      show(place + step);
    });
    show(0);
  }
}
