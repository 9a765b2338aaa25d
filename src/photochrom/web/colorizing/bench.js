// The photograph that is looked at: a card for each model that is compared.

import { Card } from "./card.js";
import { View } from "./compare.js";
import { element, fault, find } from "./dom.js";

/** Shows one photograph at a time, as the controls say. */
export class Bench {
  #cards = new Map();
  #photograph = null;

  constructor(controls, limits) {
    this.controls = controls;
    this.limits = limits;
    this.view = new View();
    controls.addEventListener("change", () => this.#eachCard((card) => card.refresh()));
    controls.addEventListener("models", () => this.#deal());
    find("#zoom").addEventListener("click", ({ target }) => this.#zoom(target.value === "full"));
  }

  /** Show a photograph, one that is still being read, or what was wrong with it; null for none. */
  show(photograph, again) {
    this.#photograph = photograph;
    this.#clear();
    find("#bench").hidden = !photograph;
    if (!photograph) return;
    const { name, width, height, isRead } = photograph;
    find("#title").textContent = name;
    find("#pixels").textContent = isRead ? `${width} × ${height} pixels` : "";
    find("#zoom").hidden = !isRead;
    if (isRead) this.#deal();
    else if (photograph.fault) this.#say(fault(photograph.fault, again));
    else this.#say(element("p", { className: "muted" }, "Opening the photograph …"));
  }

  #say(...told) { find("#cards").replaceChildren(...told); }

  #clear() {
    this.#eachCard((card) => card.remove());
    this.#cards.clear();
    this.#say();
  }

  #eachCard(work) { [...this.#cards.values()].forEach(work); }

  /** Give each chosen model a card, in their order, and take away those of others. */
  #deal() {
    if (!this.#photograph?.isRead) return;
    const { models } = this.controls;
    this.#eachCard((card) => {
      if (models.includes(card.model)) return;
      card.remove();
      this.#cards.delete(card.model.name);
    });
    const added = models.filter(({ name }) => !this.#cards.has(name)).map((model) => new Card(this, model));
    for (const card of added) this.#cards.set(card.model.name, card);
    this.#say(...models.map(({ name }) => this.#cards.get(name).element),
      ...(models.length ? [] : [element("p", { className: "muted" }, "Choose at least one model.")]));
    for (const card of added) card.show(this.#photograph);
  }

  #zoom(isFull) {
    for (const one of find("#zoom").children) one.ariaPressed = String((one.value === "full") === isFull);
    this.view.change({ isFull });
    if (isFull) this.#eachCard((card) => card.refresh(0));
  }
}
