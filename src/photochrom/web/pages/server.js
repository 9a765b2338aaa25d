// What the page asks of the server. A request that fails on the way is sent again until it arrives.

const PATIENCE = 15_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8_000;
const PASSING = new Set([408, 429]);

/** The server's own refusal: a status and a sentence. Sending it again would not help. */
export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** Begin a session; resolve to its token. */
export const begin = async (onTrouble) =>
  (await request("POST", "/study/api/sessions", {}, onTrouble)).token;

/** Resolve to how many trials were answered, and how many there are: {answered, total}. */
export const progress = (token, onTrouble) =>
  request("GET", session(token), undefined, onTrouble);

/** Resolve to the next trial, or to {finished: true}. */
export const upcoming = (token, onTrouble) =>
  request("GET", `${session(token)}/trial`, undefined, onTrouble);

/** Save an answer, once however often it is sent; resolve to {right, told}. */
export const vote = (token, answer, onTrouble) =>
  request("POST", `${session(token)}/votes`, answer, onTrouble);

/** Resolve to an image element that can be shown without delay. */
export async function picture(address, onTrouble) {
  const blob = await request("GET", address, undefined, onTrouble, (response) => response.blob());
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  image.draggable = false;
  await image.decode();
  return image;
}

/** Forget a picture. */
export const release = (image) => URL.revokeObjectURL(image.src);

const session = (token) => `/study/api/sessions/${encodeURIComponent(token)}`;

async function request(method, address, body, onTrouble, read = (response) => response.json()) {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await once(method, address, body, read);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      onTrouble?.();
      await quiet(pause * (0.75 + 0.5 * Math.random()));
    }
  }
}

async function once(method, address, body, read) {
  const response = await fetch(address, {
    method,
    headers: body && { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (response.ok) return read(response);
  if (response.status >= 500 || PASSING.has(response.status)) throw new Error(response.statusText);
  const { detail } = await response.json();
  throw new Refusal(response.status, detail);
}

/** Wait, but no longer than until the network is back. */
const quiet = (milliseconds) => new Promise((resolve) => {
  const done = () => {
    clearTimeout(timer);
    removeEventListener("online", done);
    resolve();
  };
  const timer = setTimeout(done, milliseconds);
  addEventListener("online", done);
});
