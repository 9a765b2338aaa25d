// What the page asks of the server: which models there are, and photographs in color.

import { rest } from "./dom.js";
import { inTurn } from "./lane.js";

const BUSY = 503;
const PASSING = new Set([408, 500, 502, 503, 504]);
// Seconds to wait for a busy server that does not say how long.
const PAUSE = 2;
const GONE = "The program behind this page does not answer. Look whether it still runs, " +
  "or start it again with “photochrom serve”.";

/** Why there is no picture: a sentence, and whether it may be different the next time. */
export class Refusal extends Error {
  constructor(sentence, passing = false) {
    super(sentence);
    this.passing = passing;
  }
}

/** Resolve to the models and the limits of what is taken: {models, limits}. */
export const offer = async () => (await request("/models", {})).json();

/** Color a photograph; resolve to {blob, name, seconds, notes}. */
export async function colorize(file, fields, options = {}) {
  const response = await send("/colorize", file, fields, options);
  const { headers } = response;
  return {
    blob: await arriving(response.blob()),
    name: fileName(headers.get("Content-Disposition") ?? ""),
    seconds: seconds(response),
    notes: headers.get("X-Photochrom-Notes") ?? "",
  };
}

/** Color a photograph in several ways; resolve to {found: [{variant, share, blob}], seconds}. */
export async function variants(file, fields, options = {}) {
  const response = await send("/variants", file, fields, options);
  const answer = await arriving(response.json());
  const found = answer.variants.map(({ variant, share, type, picture }) => ({
    variant, share, blob: new Blob([decoded(picture)], { type }),
  }));
  return { found, seconds: seconds(response) };
}

const seconds = ({ headers }) => Number(headers.get("X-Photochrom-Milliseconds")) / 1000;

const decoded = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

const fileName = (disposition) => {
  const [, encoded] = disposition.match(/filename\*=UTF-8''([^;]+)/i) ?? [];
  const [, plain] = disposition.match(/filename="([^"]*)"/) ?? [];
  return encoded ? decodeURIComponent(encoded) : plain ?? "";
};

const send = (address, file, fields, { signal, hurried = true, onBusy }) =>
  inTurn(() => patient(address, { method: "POST", body: form(file, fields), signal }, onBusy),
    signal, hurried);

function form(file, fields) {
  const made = new FormData();
  made.append("photograph", file, file.name ?? "preview.jpg");
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== "") made.append(name, value);
  }
  return made;
}

/** Send a request, again and again while the server says that it is busy. */
async function patient(address, asked, onBusy) {
  for (;;) {
    const response = await request(address, asked, BUSY);
    if (response.status !== BUSY) return response;
    const pause = Number(response.headers.get("Retry-After")) || PAUSE;
    onBusy?.(pause);
    await rest(1000 * pause, asked.signal);
  }
}

async function request(address, asked, expected) {
  const response = await arriving(fetch(address, asked));
  if (response.ok || response.status === expected) return response;
  throw new Refusal(await sentence(response), PASSING.has(response.status));
}

/** Tell a server that is gone from a request that was given up. */
async function arriving(answer) {
  try {
    return await answer;
  } catch (error) {
    throw error.name === "AbortError" ? error : new Refusal(GONE, true);
  }
}

async function sentence(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The server refused this without saying why (status ${response.status}).`;
  }
}
