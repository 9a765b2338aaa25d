// The four ways of asking. Each has a title, words of instruction, `ask`, which shows a trial and
// resolves to {answer, score, milliseconds}, and `explain`, which says after practice what was right.

import { expose } from "./exposure.js";
import { chosen, element, frame, keycap, option, show, textButton } from "./screen.js";
import { pick } from "./grid.js";

const ORDER = ["First", "Second"];
const KEYS = [["arrowleft", "arrowup", "1", "f"], ["arrowright", "arrowdown", "2", "s"]];
const HINTS = ["←", "→"];

const heading = (text) => element("h1", {}, text);
const buttons = (...children) => element("div", { className: "buttons" }, ...children);
const named = (images, name) => images.forEach((image, index) => { image.alt = name(index); });

/** Resolve to the answer of `choose` and the time it took since `start`. */
async function timed(start, choose) {
  const answer = await choose();
  return { answer, score: null, milliseconds: performance.now() - start };
}

const paired = (images, caption) => element("div", { className: "stage two" },
  ...images.map((image, index) =>
    element("figure", {}, image, element("figcaption", {}, caption(index)))));

const seconds = (milliseconds) =>
  milliseconds === 1000 ? "one second" : `${milliseconds / 1000} seconds`;

const realOrFake = {
  title: "Which colors are fake?",
  instruct: (trial) => [
    `You see the same photograph twice, one after the other, each time for ${seconds(trial.exposure)}. ` +
    "Once it has the colors of the camera. The other time a program made up its colors.",
    "Then both are gone, and you say which one had the fake colors.",
  ],
  async ask(trial, images) {
    named(images, (index) => `${ORDER[index]} picture`);
    const end = await expose(images, ORDER, trial.exposure);
    const options = ORDER.map((name, index) => option(textButton(name, HINTS[index]), ...KEYS[index]));
    show("trial", heading("Which had the fake colors?"),
      element("div", { className: "stage one" },
        buttons(...options.map(({ button }) => button))));
    return timed(end, () => chosen(options));
  },
  explain: ({ right, told }, images) => [
    `${right ? "Right" : "Not this time"}: the ${ORDER[told].toLowerCase()} had the fake colors.`,
    paired(images, (index) => `${ORDER[index]}: ${index === told ? "fake" : "real"} colors`),
  ],
};

const naturalness = {
  title: "Do the colors look natural?",
  instruct: () => [
    "You see one photograph. It has either the colors of the camera or colors that a program made up.",
    "Say whether its colors look natural to you, and then how natural, from 1 to 5.",
  ],
  async ask(_, images) {
    named(images, () => "Picture");
    const place = element("div", { className: "stage one" }, ...images);
    const start = await frame();
    for (;;) {
      const first = await askNatural(place, start);
      const score = await askScore(place);
      if (score > 0) return { ...first, score };
    }
  },
  explain: ({ right, told }, images) => [
    `${right ? "Right" : "Not this time"}: these are ` +
    (told ? "the colors of the camera." : "fake colors."),
    element("div", { className: "stage one" }, ...images),
  ],
};

async function askNatural(place, start) {
  const yes = textButton("Yes", "Y");
  const no = textButton("No", "N");
  show("trial", heading("Do the colors look natural?"), place, buttons(yes, no));
  const options = [option(no, "n", "arrowright"), option(yes, "y", "arrowleft")];
  return timed(start, () => chosen(options));
}

/** Resolve to 1 to 5, or to 0 for going back. */
async function askScore(place) {
  const back = textButton("Back", "Esc", { className: "quiet" });
  const scores = [1, 2, 3, 4, 5].map((score) =>
    option(element("button", { type: "button", "aria-label": `${score} of 5` }, `${score}`), `${score}`));
  show("trial", heading("How natural are they, from 1 to 5?"), place,
    element("div", { className: "scale" },
      buttons(...scores.map(({ button }) => button)),
      element("p", { className: "ends" }, element("span", {}, "not at all"),
        element("span", {}, "entirely"))), back);
  return chosen([option(back, "backspace", "escape"), ...scores]);
}

const pickReal = {
  title: "Which one is real?",
  instruct: () => [
    "You see the same photograph several times. One has the colors of the camera. " +
    "In all the others, programs made up the colors.",
    "Choose the one that you think is real, and confirm it. You may change your mind before that.",
  ],
  async ask(_, images) {
    named(images, (index) => `Picture ${index + 1}`);
    const start = await frame();
    return timed(start, () => pick("Choose the one with real colors", images));
  },
  explain: ({ right, told }, images) => [
    `${right ? "Right" : "Not this time"}: picture ${told + 1} is the real one.`,
    element("div", { className: "stage one" }, images[told]),
  ],
};

const preference = {
  title: "Which looks better?",
  instruct: () => [
    "You see the same photograph twice, with different colors.",
    "Choose the one whose colors look better to you. It is your taste that counts.",
  ],
  async ask(_, images) {
    named(images, (index) => `${ORDER[index]} picture`);
    const options = images.map((image, index) => option(
      element("button", { type: "button", className: "tile" }, image, keycap(HINTS[index])),
      ...KEYS[index]));
    show("trial", heading("Choose the one that looks better"),
      element("div", { className: "stage two" }, ...options.map(({ button }) => button)));
    const start = await frame();
    return timed(start, () => chosen(options));
  },
  explain: ({ told }, images) => told === null ? ["Thank you."] : [
    `The ${ORDER[told].toLowerCase()} has the colors of the camera. ` +
    "Still, it is your taste that counts.",
    paired(images, (index) => ORDER[index]),
  ],
};

export const PROTOCOLS = {
  real_or_fake: realOrFake,
  naturalness,
  pick_real: pickReal,
  preference,
};
