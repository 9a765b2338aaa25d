// What the page is made of: elements, pictures in them, and words for those who do not see it.

/** Return the element of the document that `selector` names. */
export const find = (selector) => document.querySelector(selector);

/** Make an element: properties (or attributes), then children. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export const button = (label, press, properties = {}) =>
  element("button", { type: "button", onclick: press, ...properties }, label);

/** Tell screen readers what has happened. */
export const announce = (sentence) => { find("#status").textContent = sentence; };

/** Make a sentence on what went wrong, with a button to try again where that may help. */
export function fault(error, again) {
  const retry = again && error.passing ? [button("Try again", again)] : [];
  return element("div", { className: "fault", role: "alert" },
    element("p", {}, error.message), ...retry);
}

/** Show a blob in an image element, without a moment in which nothing is shown. */
export async function put(image, blob, signal) {
  const address = URL.createObjectURL(blob);
  const loaded = new Image();
  loaded.src = address;
  await loaded.decode().catch(() => {});
  if (signal?.aborted) {
    URL.revokeObjectURL(address);
    return;
  }
  release(image);
  image.src = address;
}

/** Forget what an image element shows. */
export function release(image) {
  if (image.src) URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
}

/** Wait, unless `signal` aborts. */
export const rest = (milliseconds, signal) => new Promise((resolve, reject) => {
  signal?.throwIfAborted();
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
});
