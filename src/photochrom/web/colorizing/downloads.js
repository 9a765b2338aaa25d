// Photographs in color and in full size, as files.

import { element } from "./dom.js";
import { colorize } from "./server.js";

// A blob's address must last until the browser has begun to save it.
const KEPT = 60_000;

/** Color the photograph itself, as chosen, and save it; resolve to what the server noted. */
export async function download(photograph, model, controls, onBusy) {
  const { variant } = photograph.result(model);
  const fields = { ...controls.fields(model), variant, format: controls.format };
  const { blob, name, notes } = await colorize(photograph.file, fields, { onBusy });
  save(blob, controls.models.length > 1 ? named(name, model) : name);
  return notes;
}

const named = (name, model) => name.replace(/(?=\.[^.]*$)/, `-${model.name}`);

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = element("a", { href: address, download: name || "photograph-color" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), KEPT);
}
