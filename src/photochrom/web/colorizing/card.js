// What one model makes of the photograph: before and after, other plausible colors, the download.

import { Compare } from "./compare.js";
import { announce, button, element, fault, put, release, rest } from "./dom.js";
import { download } from "./downloads.js";
import { colorize, variants } from "./server.js";

// Milliseconds without a further change after which the server is asked.
const SETTLED = 90;
const SETTLED_FULL = 500;
const MOST_VARIANTS = 6;

/** One model's card. */
export class Card {
  #page;
  #photograph;
  #work = new AbortController();

  /** `page` has what all cards share: controls, limits and view. */
  constructor(page, model) {
    this.#page = page;
    this.model = model;
    this.compare = new Compare(page.view, model.name);
    this.told = element("p", { className: "told" });
    this.trouble = element("div");
    this.more = button("Other plausible colors", () => this.#toggle(), {
      ariaExpanded: "false", hidden: model.temperature === null,
    });
    this.save = button("Download", () => this.#download(), {
      className: "primary", ariaLabel: `Download, ${model.name}`,
    });
    this.strip = element("ol", {
      className: "variants", hidden: true, ariaLabel: `Other plausible colors, ${model.name}`,
    });
    this.element = element("article", { className: "card", ariaLabel: model.name },
      element("div", { className: "top" }, element("h2", {}, model.name), this.told),
      this.compare.element, this.trouble,
      element("div", { className: "actions" }, this.save, this.more), this.strip);
  }

  get #result() { return this.#photograph.result(this.model); }

  /** Show another photograph, and color it at once. */
  show(photograph) {
    this.#photograph = photograph;
    const { width, height } = photograph;
    this.element.style.setProperty("--ratio", width / height);
    this.element.style.setProperty("--natural", `${width}px`);
    this.compare.show(photograph);
    this.#showVariants([]);
    this.refresh(0);
  }

  remove() {
    this.#work.abort();
    this.#showVariants([]);
    this.compare.remove();
    this.element.remove();
  }

  /** Color the photograph anew; what was under way for older settings is given up. */
  async refresh(settled = SETTLED) {
    this.#work.abort();
    const { signal } = this.#work = new AbortController();
    this.trouble.replaceChildren();
    this.element.ariaBusy = "true";
    try {
      await rest(settled, signal);
      await this.#color(signal);
      if (this.#page.view.isFull) await this.#sharpen(signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
    if (!signal.aborted) this.element.ariaBusy = "false";
  }

  get #fields() { return this.#page.controls.fields(this.model); }

  #options(signal) {
    return { signal, onBusy: (seconds) => { this.told.textContent = `busy, again in ${seconds} s`; } };
  }

  async #color(signal) {
    const result = this.#result;
    this.#tellOpen();
    const isUsual = !result.isOpen && result.variant === 1;
    const { blob, seconds } = isUsual
      ? await colorize(this.#photograph.preview, this.#fields, this.#options(signal))
      : await this.#vary(signal);
    await this.#put(blob, seconds, signal);
    if (!signal.aborted) announce(`${this.#photograph.name} is in color, by ${this.model.name}.`);
  }

  /** Ask for all variants; resolve to the one chosen. */
  async #vary(signal) {
    const count = Math.min(MOST_VARIANTS, this.#page.limits.variants);
    const fields = { ...this.#fields, variants: count };
    const { found, seconds } = await variants(this.#photograph.preview, fields, this.#options(signal));
    const result = this.#result;
    if (result.variant > found.length) result.variant = 1;
    this.#showVariants(found);
    return { blob: found[result.variant - 1].blob, seconds };
  }

  async #put(blob, seconds, signal) {
    await this.compare.color(blob, signal);
    if (!signal.aborted) this.told.textContent = `${seconds.toFixed(2)} s`;
  }

  /** Show every pixel of the photograph. */
  async #sharpen(signal) {
    if (this.#photograph.isSmall) return;
    const { file, full } = this.#photograph;
    await rest(SETTLED_FULL, signal);
    this.told.textContent = "looking closer …";
    const fields = { ...this.#fields, variant: this.#result.variant, format: "jpeg" };
    const { blob, seconds } = await colorize(file, fields, this.#options(signal));
    await put(this.compare.before, full, signal);
    await this.#put(blob, seconds, signal);
  }

  #toggle() {
    this.#result.isOpen = !this.#result.isOpen;
    this.#tellOpen();
    if (this.#result.isOpen) this.refresh(0);
  }

  #tellOpen() {
    const { isOpen } = this.#result;
    this.more.ariaExpanded = String(isOpen);
    this.strip.hidden = !isOpen;
  }

  #showVariants(found) {
    for (const image of this.strip.querySelectorAll("img")) release(image);
    this.strip.replaceChildren(...found.map((one) => this.#variant(one, found.length)));
  }

  #variant({ variant, share, blob }, count) {
    const image = element("img", { alt: "" });
    put(image, blob);
    const isChosen = variant === this.#result.variant;
    const percent = `${Math.round(100 * share)} %`;
    const label = count > 1 ? `${percent} likely` : "no others";
    const choose = () => this.#choose(variant, blob);
    const pressed = button("", choose, {
      ariaPressed: String(isChosen), ariaLabel: `Colors ${variant} of ${count}, ${percent} likely`,
    });
    pressed.append(image, element("span", {}, label));
    return element("li", {}, pressed);
  }

  async #choose(variant, blob) {
    this.#result.variant = variant;
    [...this.strip.querySelectorAll("button")].forEach((one, index) => {
      one.ariaPressed = String(index + 1 === variant);
    });
    await this.compare.color(blob, this.#work.signal);
    if (this.#page.view.isFull) this.refresh(0);
  }

  async #download() {
    this.save.disabled = true;
    this.save.textContent = "Coloring …";
    this.trouble.replaceChildren();
    try {
      const busy = (seconds) => { this.save.textContent = `Busy, again in ${seconds} s`; };
      const notes = await download(this.#photograph, this.model, this.#page.controls, busy);
      if (notes) this.trouble.replaceChildren(element("p", { className: "muted" }, notes));
      announce(`${this.#photograph.name} is downloaded.`);
    } catch (error) {
      this.trouble.replaceChildren(fault(error, () => this.#download()));
    }
    this.save.disabled = false;
    this.save.textContent = "Download";
  }

  #fail(error) {
    this.told.textContent = "";
    this.trouble.replaceChildren(fault(error, () => this.refresh(0)));
  }
}
