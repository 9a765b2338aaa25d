// How photographs come in: dropped, pasted, chosen, or taken with a phone.

import { find } from "./dom.js";

/** Call `take` with the files of whoever drops, pastes, chooses or takes photographs. */
export function onPhotographs(take) {
  const given = (files) => { if (files.length > 0) take(files); };
  listenToInput("#files", ["#choose", "#add"], given);
  listenToInput("#camera", ["#take"], given);
  addEventListener("paste", (event) => given([...event.clipboardData.files]));
  listenToDrops(given);
}

function listenToInput(name, buttons, given) {
  const input = find(name);
  for (const one of buttons) find(one).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    given([...input.files]);
    input.value = "";
  });
}

function listenToDrops(given) {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const tell = (isOver) => { find("#drop").hidden = !isOver; };
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    tell(true);
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) tell(false); });
  addEventListener("drop", async (event) => {
    tell(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    given(await dropped(event.dataTransfer));
  });
}

/** Resolve to the files that were dropped, and those in dropped folders that may be photographs. */
async function dropped({ items, files }) {
  // Both are empty once the event is over: they are read before anything is waited for.
  const entries = [...items].map((item) => item.webkitGetAsEntry?.());
  const plain = [...files];
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  const found = await Promise.all(entries.filter(Boolean).map(within));
  return found.flat();
}

const MAYBE = /^image\/|^$/;
const ENDING = /\.(avif|bmp|gif|jp2|jpe?g|p[bgnp]m|png|tiff?|webp)$/i;

async function within(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const files = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return files;
    const found = (await Promise.all(some.map(within))).flat();
    files.push(...found.filter(({ name, type }) => MAYBE.test(type) && ENDING.test(name)));
  }
}
