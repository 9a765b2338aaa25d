// The course of the page: what can be done is asked, photographs come in, one of them is shown.

import { Bench } from "./bench.js";
import { Controls } from "./controls.js";
import { announce, fault, find } from "./dom.js";
import { download } from "./downloads.js";
import { onPhotographs } from "./intake.js";
import { Photograph } from "./photograph.js";
import { offer, Refusal } from "./server.js";
import { Thumbnail } from "./strip.js";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const UNREADABLE = "This photograph cannot be shown here. Save it as a JPEG, and try that.";

/** The photographs on the page. */
class Album {
  #shown = [];
  #current = null;
  // One after the other: opened, a large scan needs much memory.
  #reading = Promise.resolve();

  constructor({ models, limits }) {
    this.limits = limits;
    this.controls = new Controls({ models, limits });
    this.bench = new Bench(this.controls, limits);
    for (const kind of ["change", "models"]) {
      this.controls.addEventListener(kind, () => this.#shown.forEach(({ thumbnail }) => thumbnail.refresh()));
    }
    find("#all button").addEventListener("click", () => this.#downloadAll());
  }

  /** Take photographs in, and show the first of them. */
  add(files) {
    const isFirst = this.#shown.length === 0;
    const added = files.map((file) => this.#enter(new Photograph(file)));
    this.#tellCount();
    this.#choose(added[0]);
    added.forEach((one) => this.#queue(one));
    // What was pressed is gone.
    if (isFirst) find("#title").focus({ preventScroll: true });
  }

  #enter(photograph) {
    const one = { photograph, end: new AbortController() };
    one.thumbnail = new Thumbnail(photograph, this.controls, {
      choose: () => this.#choose(one), remove: () => this.#remove(one),
    });
    this.#shown.push(one);
    return one;
  }

  #queue(one) { this.#reading = this.#reading.then(() => this.#read(one)); }

  async #read(one) {
    const { photograph, thumbnail, end: { signal } } = one;
    if (signal.aborted) return;
    thumbnail.tell("opening", "busy");
    try {
      await photograph.read(this.limits, signal);
      if (signal.aborted) return;
      await thumbnail.show();
      thumbnail.refresh(0);
    } catch (error) {
      if (signal.aborted) return;
      photograph.fault = error instanceof Refusal ? error : new Refusal(UNREADABLE);
      thumbnail.tell("not taken", "fault");
      announce(`${photograph.name}: ${photograph.fault.message}`);
    }
    if (one === this.#current) this.#show(one);
  }

  #show(one) {
    this.bench.show(one?.photograph ?? null, () => {
      one.photograph.fault = null;
      this.#show(one);
      this.#queue(one);
    });
  }

  #choose(one) {
    this.#current = one;
    for (const other of this.#shown) other.thumbnail.isChosen = other === one;
    this.#show(one);
  }

  #remove(one) {
    const place = this.#shown.indexOf(one);
    one.end.abort();
    one.thumbnail.remove();
    this.#shown.splice(place, 1);
    this.#tellCount();
    if (one === this.#current) this.#choose(this.#shown[Math.min(place, this.#shown.length - 1)]);
    (this.#current?.thumbnail.button ?? find("#choose")).focus();
  }

  #tellCount() {
    const count = this.#shown.length;
    find("#welcome").hidden = count > 0;
    find("#strip").hidden = find("#add").hidden = count === 0;
    find("#all").hidden = count < 2;
  }

  /** Download every photograph that could be read, as each of the chosen models colors it. */
  async #downloadAll() {
    const pressed = find("#all button");
    pressed.disabled = true;
    find("#undone").replaceChildren();
    pressed.textContent = "Opening the rest …";
    await this.#reading;
    const shown = this.#shown.filter(({ photograph }) => photograph.isRead);
    for (const [index, { photograph }] of shown.entries()) {
      pressed.textContent = `Coloring ${index + 1} of ${shown.length} …`;
      for (const model of this.controls.models) {
        await download(photograph, model, this.controls).catch(({ message }) =>
          find("#undone").append(fault({ message: `${photograph.name}: ${message}` })));
      }
    }
    pressed.textContent = "Download all";
    pressed.disabled = false;
    announce("That was the last photograph.");
  }
}

let album = null;
const early = [];

function take(files) {
  if (album) {
    album.add(files);
    return;
  }
  early.push(...files);
  tellLoading();
}

function tellLoading() {
  const wait = early.length === 1 ? "1 photograph waits." : `${early.length} photographs wait.`;
  find("#taken").textContent = `The models are being loaded … ${early.length ? wait : ""}`;
}

/** Ask what can be done; from then on, photographs are opened. */
async function open() {
  find("#trouble").replaceChildren();
  tellLoading();
  try {
    const offered = await offer();
    const { megabytes, megapixels } = offered.limits;
    find("#taken").textContent = "JPEG, PNG, TIFF, WebP and others, " +
      `up to ${megabytes} MB and ${megapixels} megapixels each.`;
    album = new Album(offered);
    if (early.length > 0) album.add(early.splice(0));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    find("#taken").textContent = "";
    find("#trouble").replaceChildren(fault(error, open));
  }
}

onPhotographs(take);
find("#privacy").textContent = LOOPBACK.has(location.hostname)
  ? "Photographs stay on this computer. Nothing is kept once the page is closed."
  : "Photographs go to the computer that runs this page, and are not kept.";
open();
