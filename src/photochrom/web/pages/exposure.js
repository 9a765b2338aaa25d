// Showing pictures for a set time, counted in frames of the screen.

import { element, frame, rest, show, tell } from "./screen.js";

const FIXATION = 700;
const BLANK = 300;

/**
 * Show each image for `milliseconds`, one after the other, in the same place.
 *
 * Resolve to the time, on performance.now's clock, at which the last one disappeared. Whoever
 * hides the window meanwhile is shown all of it again.
 */
export async function expose(images, names, milliseconds) {
  for (;;) {
    const window = watchWindow();
    const end = await sequence(images, names, milliseconds, window);
    window.stop();
    if (!window.wasHidden()) return end;
    await tell(
      "text", "Show again", element("h1", {}, "Once more"),
      element("p", {}, "This window was hidden meanwhile, so the pictures are shown again."),
    );
  }
}

async function sequence(images, names, milliseconds, window) {
  const place = element("div", { className: "stage one" }, element("span", { className: "cross" }));
  const title = element("h1", {}, "Look here");
  show("trial", title, place);
  await rest(FIXATION);
  images.forEach((image) => image.classList.add("waiting"));
  place.replaceChildren(...images);
  let end = 0;
  for (const [index, image] of images.entries()) {
    if (index) await rest(BLANK);
    title.textContent = names[index];
    end = await exposure(image, milliseconds, window);
  }
  place.replaceChildren();
  images.forEach((image) => image.classList.remove("waiting"));
  return end;
}

async function exposure(image, milliseconds, window) {
  const start = await frame();
  image.classList.remove("waiting");
  let [before, now] = [start, start];
  // To the frame nearest to the set time: half a frame more would be too much.
  while (now - start + (now - before) / 2 < milliseconds && !window.wasHidden()) {
    before = now;
    now = await frame();
  }
  image.classList.add("waiting");
  performance.measure("exposure", { start, end: now });
  return now;
}

function watchWindow() {
  let hidden = document.hidden;
  const look = () => { hidden ||= document.hidden; };
  document.addEventListener("visibilitychange", look);
  return {
    wasHidden: () => hidden,
    stop: () => document.removeEventListener("visibilitychange", look),
  };
}
