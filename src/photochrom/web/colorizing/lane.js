// The server colors one photograph at a time: the page keeps the line itself, and the line short.

// One is colored while the next is on its way.
const SLOTS = 2;

const waiting = [];
let running = 0;

/** Run `work` when its turn comes: what somebody waits for goes before what is made in advance. */
export async function inTurn(work, signal, hurried) {
  await turn(signal, hurried);
  try {
    return await work();
  } finally {
    running -= 1;
    admit();
  }
}

const turn = (signal, hurried) => new Promise((resolve, reject) => {
  signal?.throwIfAborted();
  const one = { enter: resolve, hurried };
  const behind = waiting.findIndex((other) => hurried && !other.hurried);
  waiting.splice(behind < 0 ? waiting.length : behind, 0, one);
  signal?.addEventListener("abort", () => {
    const place = waiting.indexOf(one);
    if (place >= 0) waiting.splice(place, 1);
    reject(signal.reason);
  }, { once: true });
  admit();
});

function admit() {
  while (running < SLOTS && waiting.length > 0) {
    running += 1;
    waiting.shift().enter();
  }
}
