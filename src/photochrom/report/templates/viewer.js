{
  const viewer = document.querySelector("#viewer");
  const stage = viewer.querySelector(".stage");
  const [under, over] = stage.querySelectorAll("img");
  const edge = stage.querySelector(".edge");
  const wipe = viewer.querySelector("#wipe");
  const middle = viewer.querySelector("[data-stop='100']");
  const strips = [...document.querySelectorAll(".strip")].map((strip) => [...strip.children]);
  let photograph = 0;
  let model = 1;

  const put = (image, tile) => {
    const picture = tile.querySelector("img");
    image.src = picture.src;
    image.alt = picture.alt;
    stage.style.setProperty("--largest", `${10 * picture.naturalWidth}px`);
  };
  // Up to the middle the colorization covers gray from the left, then the truth covers it.
  const show = () => {
    const tiles = strips[photograph];
    const truth = tiles.length - 1;
    const value = Number(wipe.value);
    const [below, above] = value <= 100 ? [0, model] : [model, truth];
    const share = value <= 100 ? value : value - 100;
    const name = (tile) => tiles[tile].dataset.title;
    put(under, tiles[below]);
    put(over, tiles[above]);
    over.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    edge.style.left = `${share}%`;
    edge.hidden = share === 0 || share === 100;
    middle.textContent = name(model);
    viewer.querySelector(".name").textContent = name(model);
    viewer.querySelector(".which").textContent = `${photograph + 1} of ${strips.length}`;
    wipe.setAttribute("aria-valuetext", `${share} % ${name(above)} over ${name(below)}`);
  };
  const stepModel = (step) => {
    const models = strips[photograph].length - 2;
    model = 1 + (model - 1 + step + models) % models;
    show();
  };
  const stepPhotograph = (step) => {
    photograph = (photograph + step + strips.length) % strips.length;
    show();
  };
  const stop = (value) => { wipe.value = value; show(); };

  strips.forEach((tiles, row) => tiles.forEach((tile, column) =>
    tile.addEventListener("click", () => {
      const last = tiles.length - 1;
      photograph = row;
      if (column > 0 && column < last) model = column;
      viewer.showModal();
      stop(column === 0 ? 0 : column === last ? 200 : 100);
    })));
  wipe.addEventListener("input", show);
  viewer.addEventListener("click", (event) => {
    const { stop: value, model: step, photograph: turn } = event.target.dataset;
    if (value) stop(value);
    else if (step) stepModel(Number(step));
    else if (turn) stepPhotograph(Number(turn));
    else if (event.target === viewer || event.target.matches(".close")) viewer.close();
  });
  const keys = {
    ArrowLeft: () => stepModel(-1), ArrowRight: () => stepModel(1),
    ArrowUp: () => stepPhotograph(-1), ArrowDown: () => stepPhotograph(1),
  };
  viewer.addEventListener("keydown", (event) => {
    if (event.target === wipe || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  let grip = null;
  stage.addEventListener("pointerdown", (event) => {
    grip = { x: event.clientX, value: Number(wipe.value) };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (grip) stop(Math.round(grip.value + 100 * (event.clientX - grip.x) / stage.clientWidth));
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { grip = null; });
}
