// What screens are made of: elements, buttons that answer to keys, and waiting for one of them.

const main = document.querySelector("main");

/** Make an element: properties (or attributes), then children. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Replace the screen. Screen readers begin at its top. */
export function show(className, ...children) {
  main.className = className;
  main.replaceChildren(...children);
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

export const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Resolve, with its time, within the next frame and before that is painted. */
export const frame = () => new Promise(requestAnimationFrame);

/** A small key as a hint; screen readers hear the button's name alone. */
export const keycap = (text) => element("kbd", { "aria-hidden": "true" }, text);

/** Something to choose: a button and the keys that press it. */
export const option = (button, ...keys) => ({ button, keys });

/** A button with a label and the hint of its key. */
export const textButton = (label, hint, properties = {}) =>
  element("button", { type: "button", ...properties }, label, ...(hint ? [keycap(hint)] : []));

/** Call `press` with the name of each key, in lower case, until the function returned is called. */
export function onKeys(press) {
  const listen = (event) => {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target instanceof HTMLInputElement) return;
    if (press(event.key.toLowerCase(), event)) event.preventDefault();
  };
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}

/** Resolve to the index of the first option chosen; all others are then dead. */
export const chosen = (options, wait = 0) => new Promise((resolve) => {
  const open = performance.now() + wait;
  const choose = (index) => {
    if (performance.now() < open) return;
    stop();
    for (const { button } of options) button.disabled = true;
    resolve(index);
  };
  const stop = onKeys((key) => {
    if (key === "enter" && document.activeElement instanceof HTMLButtonElement) return false;
    const index = options.findIndex(({ keys }) => keys.includes(key));
    if (index >= 0) choose(index);
    return index >= 0;
  });
  options.forEach(({ button }, index) => button.addEventListener("click", () => choose(index)));
});

// A second press meant for the screen before should not skip this one.
const SECOND_PRESS = 350;

/** Show a screen of text with one button, and wait for it. */
export async function tell(className, label, ...children) {
  const button = textButton(label, "Enter", { className: "primary" });
  show(className, ...children, element("p", { className: "actions" }, button));
  await chosen([option(button, "enter")], SECOND_PRESS);
}
