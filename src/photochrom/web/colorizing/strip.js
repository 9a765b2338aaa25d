// The photographs on the page, small, in a row: choose one, take one away, see how far each is.

import { button, element, find, put, release, rest } from "./dom.js";
import { colorize } from "./server.js";

// Longer than for what is looked at: these are colored when nothing else is to be done.
const SETTLED = 800;

/** The thumbnail of one photograph. */
export class Thumbnail {
  #photograph;
  #controls;
  #work = new AbortController();
  #image = element("img", { alt: "" });
  #state = element("span", { className: "state" }, "waiting");

  constructor(photograph, controls, { choose, remove }) {
    this.#photograph = photograph;
    this.#controls = controls;
    const { name } = photograph;
    this.button = button("", choose, { className: "thumbnail", title: name });
    this.button.append(element("span", { className: "frame" }, this.#image),
      element("span", { className: "name" }, name), this.#state);
    this.element = element("li", {}, this.button,
      button("×", remove, { className: "remove", ariaLabel: `Remove ${name}` }));
    find("#strip").append(this.element);
  }

  /** Say how far the photograph is: a word, and whether it is at work or at fault. */
  tell(word, kind = "") {
    this.#state.textContent = word;
    this.element.dataset.kind = kind;
  }

  set isChosen(value) {
    this.button.ariaCurrent = String(value);
    if (value) this.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  remove() {
    this.#work.abort();
    release(this.#image);
    this.element.remove();
  }

  show() { return put(this.#image, this.#photograph.thumbnail); }

  /** Color the thumbnail as the first of the chosen models does, when there is time. */
  async refresh(settled = SETTLED) {
    this.#work.abort();
    const [model] = this.#controls.models;
    if (!this.#photograph.isRead || !model) return;
    const { signal } = this.#work = new AbortController();
    try {
      await rest(settled, signal);
      this.tell("coloring", "busy");
      const fields = this.#controls.fields(model);
      const { blob } = await colorize(this.#photograph.thumbnail, fields, { signal, hurried: false });
      await put(this.#image, blob, signal);
      this.tell("in color");
    } catch {
      // What was not given up, says the card: here only a word has room.
      if (!signal.aborted) this.tell("not colored", "fault");
    }
  }
}
