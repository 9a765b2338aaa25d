// A photograph before and after, with a line between them to move; all on the page move together.

import { element, put, release } from "./dom.js";

// What keys add to the line's place, in percent.
const STEPS = {
  ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2,
  PageDown: -10, PageUp: 10, Home: -100, End: 100,
};
// Nearer to a side than this, the word there has no room.
const EDGE = 14;

/** What all pictures have in common: the line (percent from the left), zoom, and what is in sight. */
export class View extends EventTarget {
  share = 50;
  isFull = false;
  x = 0.5;
  y = 0.5;

  change(values) {
    Object.assign(this, values);
    this.dispatchEvent(new Event("change"));
  }

  divide(share) { this.change({ share: Math.min(100, Math.max(0, share)) }); }
}

/** Before and after of one model. */
export class Compare {
  #view;
  #end = new AbortController();
  #width = 1;

  constructor(view, name) {
    this.#view = view;
    this.before = element("img", {
      className: "before", alt: "The photograph as it was", draggable: false,
    });
    this.after = element("img", {
      className: "after", alt: `The photograph in the colors of ${name}`, draggable: false,
    });
    this.pictures = element("div", { className: "pictures" }, this.before, this.after);
    this.scroller = element("div", { className: "scroller" }, this.pictures);
    this.line = element("div", {
      className: "line", role: "slider", tabIndex: 0, "aria-label": `Before and after, ${name}`,
      "aria-valuemin": 0, "aria-valuemax": 100,
    }, element("span", { className: "grip" }));
    this.sides = ["before", "after"].map((side) =>
      element("span", { className: `side ${side}`, "aria-hidden": "true" }, side));
    this.element = element("div", { className: "compare" }, this.scroller, this.line, ...this.sides);
    this.#listen();
  }

  /** Show another photograph, `width` pixels wide, which has no colors yet. */
  show({ preview, width }) {
    this.#width = width / devicePixelRatio;
    release(this.after);
    this.draw();
    return put(this.before, preview, this.#end.signal);
  }

  color(blob, signal) { return put(this.after, blob, signal); }

  remove() {
    this.#end.abort();
    [this.before, this.after].forEach(release);
    this.element.remove();
  }

  draw() {
    const { scroller, pictures, line, sides } = this;
    const { share, isFull, x, y } = this.#view;
    this.element.classList.toggle("full", isFull);
    pictures.style.width = isFull ? `${this.#width}px` : "";
    scroller.tabIndex = isFull ? 0 : -1;
    scrollTo(scroller, "Left", x * (scroller.scrollWidth - scroller.clientWidth));
    scrollTo(scroller, "Top", y * (scroller.scrollHeight - scroller.clientHeight));
    const edge = scroller.clientWidth * share / 100 + scroller.scrollLeft - pictures.offsetLeft;
    this.after.style.clipPath = `inset(0 0 0 ${edge}px)`;
    line.style.left = `${share}%`;
    line.setAttribute("aria-valuenow", Math.round(share));
    line.setAttribute("aria-valuetext", `${Math.round(100 - share)} % in color`);
    sides[0].hidden = share < EDGE;
    sides[1].hidden = share > 100 - EDGE;
  }

  #listen() {
    const { signal } = this.#end;
    const { scroller, line } = this;
    const resized = new ResizeObserver(() => this.draw());
    resized.observe(scroller);
    signal.addEventListener("abort", () => resized.disconnect());
    this.#view.addEventListener("change", () => this.draw(), { signal });
    line.addEventListener("keydown", (event) => this.#press(event));
    scroller.addEventListener("scroll", () => this.#scrolled());
    drag(line, (event) => this.#divide(event));
    drag(scroller, (event, from) => this.#dragged(event, from));
  }

  #press(event) {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#view.divide(this.#view.share + (event.shiftKey ? 5 * step : step));
  }

  #divide(event) {
    const { left, width } = this.scroller.getBoundingClientRect();
    this.#view.divide(100 * (event.clientX - left) / width);
  }

  // Where the whole photograph is in sight, dragging moves the line; else it moves the photograph.
  #dragged(event, from) {
    const { scroller } = this;
    if (!this.#view.isFull) return this.#divide(event);
    if (event.pointerType === "touch") return undefined;
    scroller.scrollLeft -= event.clientX - from.clientX;
    scroller.scrollTop -= event.clientY - from.clientY;
    return undefined;
  }

  #scrolled() {
    const { scroller } = this;
    if (!this.#view.isFull) return;
    const wide = scroller.scrollWidth - scroller.clientWidth;
    const high = scroller.scrollHeight - scroller.clientHeight;
    const { x, y } = this.#view;
    const { scrollLeft: left, scrollTop: top } = scroller;
    const isFar = Math.abs(x * wide - left) > 1 || Math.abs(y * high - top) > 1;
    if (isFar) this.#view.change({ x: wide ? left / wide : x, y: high ? top / high : y });
    else this.draw();
  }
}

// Setting it to what it nearly is would make pictures that move together chase one another.
function scrollTo(scroller, side, value) {
  const key = `scroll${side}`;
  if (Math.abs(scroller[key] - value) > 1) scroller[key] = value;
}

/** Call `move` with each event of a drag and the one before it. */
function drag(target, move) {
  let last = null;
  target.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    last = event;
    target.setPointerCapture(event.pointerId);
    // A finger may be about to scroll the page: it counts when it moves sideways, or lifts.
    if (event.pointerType !== "touch") move(event, last);
  });
  target.addEventListener("pointermove", (event) => {
    if (!last) return;
    move(event, last);
    last = event;
  });
  target.addEventListener("pointerup", (event) => {
    if (last) move(event, last);
    last = null;
  });
  target.addEventListener("pointercancel", () => { last = null; });
}
