// How the photographs are to be colored: what the panel says.

import { element, find } from "./dom.js";

// Beyond these, there is nothing that looks like a photograph.
const MOST_SATURATION = 2.5;
const MOST_TEMPERATURE = 3;
const SIZES = [64, 96, 128, 192, 256, 384, 512];
const USUAL = 1;
const ORIGINS = { trained: "trained here", shipped: "comes with Photochrom", registered: "from the registry" };

const about = ({ origin, size }) => `${ORIGINS[origin] ?? origin}, ${size} pixels`;

/** The settings; `change` comes when they do, `models` when others are to be compared. */
export class Controls extends EventTarget {
  #form = find("#panel");
  #models;
  #lowest;
  #highest;
  #isTouched = false;

  constructor({ models, limits }) {
    super();
    this.#models = models;
    [this.#lowest, this.#highest] = limits.temperature;
    this.#highest = Math.min(this.#highest, MOST_TEMPERATURE);
    const { saturation, size } = this.#form.elements;
    saturation.max = Math.min(limits.saturation, MOST_SATURATION);
    saturation.min = 0;
    size.append(element("option", { value: "" }, "the model’s own"),
      ...SIZES.filter((side) => side >= limits.size[0] && side <= limits.size[1])
        .map((side) => element("option", { value: side }, `${side} pixels`)));
    this.#addModels();
    this.#listen();
    this.#reset();
  }

  /** The models to compare, in their order. */
  get models() {
    if (this.#models.length === 1) return this.#models;
    const chosen = [...this.#form.querySelectorAll("#models input:checked")].map((box) => box.value);
    return this.#models.filter(({ name }) => chosen.includes(name));
  }

  get format() { return this.#form.elements.format.value; }

  /** The fields of a request for a model; null is what the model does by itself. */
  fields(model) {
    const { saturation, size, guided } = this.#form.elements;
    const upsampling = guided.checked ? "guided" : null;
    const temperature = model.temperature !== null && this.#isTouched ? this.#temperature : null;
    return { model: model.name, saturation: saturation.value, size: size.value, temperature, upsampling };
  }

  #addModels() {
    const box = (model) => element("label", { className: "check" },
      element("input", { type: "checkbox", name: "model", value: model.name, checked: model.default }),
      element("span", {}, model.name, element("small", {}, about(model))));
    find("#models").hidden = this.#models.length === 1;
    find("#models").append(element("div", { className: "list" }, ...this.#models.map(box)));
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("reset", (event) => {
      event.preventDefault();
      this.#reset();
      this.dispatchEvent(new Event("change"));
    });
    this.#form.addEventListener("input", ({ target }) => this.#changed(target));
  }

  #changed({ name, value }) {
    if (name === "format") return;
    if (name === "temperature") this.#isTouched = true;
    this.#tell();
    this.dispatchEvent(new Event(name === "model" ? "models" : "change"));
  }

  #reset() {
    this.#isTouched = false;
    this.#form.elements.saturation.value = USUAL;
    this.#tell();
  }

  // Temperatures are ratios: the slider has them in logarithms.
  get #temperature() {
    const share = this.#form.elements.temperature.value / 100;
    return Number((this.#lowest * (this.#highest / this.#lowest) ** share).toPrecision(3));
  }

  set #temperature(value) {
    const share = Math.log(value / this.#lowest) / Math.log(this.#highest / this.#lowest);
    this.#form.elements.temperature.value = Math.round(100 * share);
  }

  #tell() {
    const { elements } = this.#form;
    const own = this.models.find(({ temperature }) => temperature !== null)?.temperature;
    find("#temperature").hidden = own === undefined;
    if (own !== undefined && !this.#isTouched) this.#temperature = own;
    const percent = `${Math.round(100 * elements.saturation.value)} %`;
    elements["told-saturation"].value = percent;
    elements.saturation.setAttribute("aria-valuetext", `${percent} of the model’s`);
    const told = this.#isTouched ? `temperature ${this.#temperature}` : "usual";
    elements["told-temperature"].value = told;
    elements.temperature.setAttribute("aria-valuetext", told);
    find("#panel [type=reset]").hidden = !this.#isTouched && Number(elements.saturation.value) === USUAL;
  }
}
