// A photograph as the page holds it: the file, and small copies of it to look at.

import { colorize, Refusal } from "./server.js";

// Longest sides in pixels. The colors are the same at any size, and small copies travel fast.
const PREVIEW = 1024;
const THUMBNAIL = 320;
const QUALITY = 0.92;
// What browsers open and the server too; of anything else the server makes a picture to look at.
const OPENED_HERE = /^image\/(avif|bmp|gif|jpeg|png|webp)$/;

/** One photograph; `preview`, `thumbnail`, `width` and `height` are there once it was read. */
export class Photograph {
  fault = null;
  #results = new Map();

  constructor(file) {
    this.file = file;
    this.name = file.name;
  }

  get isRead() { return Boolean(this.preview); }

  /** Whether the preview has as many pixels as the photograph. */
  get isSmall() { return Math.max(this.width, this.height) <= PREVIEW; }

  /** What was chosen for a model: which variant, and whether all are shown. */
  result(model) {
    if (!this.#results.has(model.name)) {
      this.#results.set(model.name, { variant: 1, variants: 0, isOpen: false });
    }
    return this.#results.get(model.name);
  }

  /** Open the file and make the small copies; a refusal says what is wrong with it. */
  async read(limits, signal) {
    checkBytes(this.file, limits.megabytes);
    const bitmap = await this.#decoded(signal);
    checkPixels(bitmap, limits.megapixels);
    this.width = bitmap.width;
    this.height = bitmap.height;
    this.thumbnail = await reduced(bitmap, THUMBNAIL);
    this.preview = await reduced(bitmap, PREVIEW);
    bitmap.close();
  }

  async #decoded(signal) {
    if (OPENED_HERE.test(this.file.type)) {
      try {
        this.full = this.file;
        return await createImageBitmap(this.file);
      } catch { /* The server opens more, and says what is wrong. */ }
    }
    this.full = (await colorize(this.file, { saturation: 0, format: "jpeg" }, { signal })).blob;
    return createImageBitmap(this.full);
  }
}

function checkBytes(file, most) {
  if (file.size === 0) throw new Refusal("This file is empty.");
  const megabytes = file.size / 1e6;
  if (megabytes > most) {
    throw new Refusal(`This file has ${Math.ceil(megabytes)} MB; at most ${most} MB are taken. ` +
      "Save it as a JPEG, or scan it at fewer dots per inch.");
  }
}

function checkPixels({ width, height }, most) {
  const megapixels = width * height / 1e6;
  if (megapixels > most) {
    throw new Refusal(`This photograph has ${Math.ceil(megapixels)} megapixels; at most ${most} ` +
      "are taken. Make it smaller, or scan it at fewer dots per inch.");
  }
}

/** Return a JPEG whose longest side has at most `longest` pixels; what is transparent is white. */
async function reduced(bitmap, longest) {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}
