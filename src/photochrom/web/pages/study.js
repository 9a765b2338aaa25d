// The course of a session: welcome, then for each trial instruction, question and saving, thanks.

import { PROTOCOLS } from "./protocols.js";
import { chosen, element, option, rest, show, tell, textButton } from "./screen.js";
import * as server from "./server.js";

const REMEMBERED = "photochrom-study";
// Between two trials, so that a double press does not answer the next one.
const BETWEEN = 500;
// What a question takes, roughly, to tell how long all of them will.
const SECONDS = 8;
const LONGEST = 24 * 60 * 60 * 1000;
const UNKNOWN = "This code is not known here. Check it, or start anew.";

const find = (selector) => document.querySelector(selector);
const paragraph = (text) => element("p", {}, text);

/** The token that the browser remembers. Some forbid it to; then the code must do. */
const memory = {
  read() { try { return localStorage.getItem(REMEMBERED); } catch { return null; } },
  write(token) { try { localStorage.setItem(REMEMBERED, token); } catch { /* The code must do. */ } },
  clear() { try { localStorage.removeItem(REMEMBERED); } catch { /* Nothing was kept. */ } },
};

const say = (text) => { find("#saving").textContent = text; };

/** Wait for the server, and say so where it takes long. */
async function waiting(work, doing) {
  const slow = setTimeout(() => say(`${doing}…`), 600);
  try {
    return await work(() => { clearTimeout(slow); say(`${doing}… trying again. Keep this page open.`); });
  } finally {
    clearTimeout(slow);
    say("");
  }
}

function tellPlace(token, trial) {
  find("#progress").hidden = !trial;
  find("#code").hidden = !token;
  find("#code code").textContent = (token ?? "").replace(/.{4}(?=.)/g, "$& ");
  if (!trial) return;
  Object.assign(find("progress"), { value: trial.number - 1, max: trial.total });
  find("#place").textContent = `${trial.number} of ${trial.total}`;
  find("#practice").hidden = !trial.practice;
}

const WELCOME = [
  "You will see small photographs. Some have the colors of the camera. Others were made gray, " +
  "and a program made up new colors for them. You say what looks real or good to you: " +
  "no knowledge is needed, only eyes that see all colors.",
  "It takes some minutes. You can stop at any time and go on later.",
  "Please turn off any night mode or blue-light filter of your screen.",
];
const CONSENT =
  "Nothing personal is asked or kept: only your answers, when you gave them and how long each " +
  "took. By starting you agree that they are used, without any name, to compare " +
  "colorization programs.";

/** Show the welcome; resolve to the token to go on with. */
async function welcome(note) {
  tellPlace(null, null);
  const go = textButton("Start", "Enter", { className: "primary" });
  const { form, input, submit } = codeForm();
  show("text",
    element("h1", {}, "Which colors are real?"),
    ...(note ? [element("p", { className: "note", role: "alert" }, note)] : []),
    ...WELCOME.map(paragraph),
    element("p", { className: "muted" }, CONSENT),
    element("p", { className: "actions" }, go), form);
  const starts = await chosen([option(go, "enter"), option(submit)]) === 0;
  if (starts) return waiting((onTrouble) => server.begin(onTrouble), "Starting");
  return input.value.toLowerCase().replace(/[^a-z0-9]/g, "") || welcome(note);
}

/** Show whoever comes back how far they are; resolve to whether they go on. */
async function welcomeBack({ answered, total }) {
  const go = textButton("Continue", "Enter", { className: "primary" });
  const anew = textButton("Start anew as another person", "", { className: "quiet" });
  show("text",
    element("h1", {}, "Welcome back"),
    paragraph(`${answered} of ${total} questions are answered and saved.`),
    element("p", { className: "actions" }, go, anew));
  return await chosen([option(go, "enter"), option(anew)]) === 0;
}

function codeForm() {
  const input = element("input", { name: "code", autocomplete: "off", spellcheck: false });
  const submit = textButton("Go on", "", { type: "submit" });
  const fields = element("form", {}, element("label", {}, "Code ", input), submit);
  fields.addEventListener("submit", (event) => event.preventDefault());
  const form = element("details", { className: "code" },
    element("summary", {}, "I have a code"), fields);
  return { form, input, submit };
}

const intro = (trial, before) => tell("text", trial.practice ? "Practice" : "Begin",
  element("p", { className: "muted" }, before
    ? "This part is done. Take a break if you like: everything is saved."
    : ahead(trial.total - trial.number + 1)),
  element("h1", {}, PROTOCOLS[trial.protocol].title),
  ...PROTOCOLS[trial.protocol].instruct(trial).map(paragraph),
  ...(trial.practice ? [paragraph("At first you practice, and are told what was right.")] : []));

function ahead(questions) {
  const minutes = Math.ceil(questions * SECONDS / 60);
  return `Ahead: ${questions} short ${questions === 1 ? "question" : "questions"}, ` +
    `about ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`;
}

const endOfPractice = () => tell("text", "Begin",
  element("h1", {}, "Now it counts"),
  paragraph("That was the practice. From here on you are not told what was right."));

async function explain(trial, verdict, images) {
  const [sentence, ...rest] = PROTOCOLS[trial.protocol].explain(verdict, images);
  await tell("trial", "Next", element("h1", {}, sentence), ...rest);
}

async function introduce(trial, before) {
  if (before?.protocol !== trial.protocol) await intro(trial, before);
  else if (before.practice && !trial.practice) await endOfPractice();
}

/** Show one trial and save its answer. */
async function run(token, trial, before) {
  const loading = Promise.all(trial.pictures.map((address) => server.picture(address)));
  loading.catch(() => {});
  await introduce(trial, before);
  const images = await waiting(() => loading, "Loading");
  show("trial");
  await rest(BETWEEN);
  const given = await PROTOCOLS[trial.protocol].ask(trial, images);
  show("trial");
  const milliseconds = Math.min(LONGEST, Math.max(0, Math.round(given.milliseconds)));
  const vote = { number: trial.number, ...given, milliseconds };
  const verdict = await waiting((onTrouble) => server.vote(token, vote, onTrouble), "Saving");
  if (trial.practice) await explain(trial, verdict, images);
  images.forEach(server.release);
}

/** Go through all trials that are left. */
async function session(token) {
  for (let before = null; ;) {
    const trial = await waiting((onTrouble) => server.upcoming(token, onTrouble), "Loading");
    if (trial.finished) return;
    memory.write(token);
    tellPlace(token, trial);
    try {
      await run(token, trial, before);
    } catch (error) {
      // Answered in another window meanwhile: go on with what is next.
      if (error.status !== 409) throw error;
    }
    before = trial;
  }
}

async function thank() {
  memory.clear();
  tellPlace(null, null);
  const anew = textButton("Start for another person", "", { className: "quiet" });
  show("text", element("h1", {}, "Thank you"),
    paragraph("That was all. Your answers are saved, and you can close this page."),
    element("p", { className: "actions" }, anew));
  await chosen([option(anew)]);
}

function takeFragment() {
  const token = location.hash.slice(1);
  if (token) history.replaceState(null, "", location.pathname);
  return token;
}

/** Resolve to the token to go on with, known to the server or not. */
async function enter(token, note) {
  if (!token) return welcome(note);
  const done = await waiting((onTrouble) => server.progress(token, onTrouble), "Loading");
  return done.answered === done.total || await welcomeBack(done) ? token : welcome("");
}

async function study() {
  let token = takeFragment() || memory.read();
  for (let note = ""; ;) {
    try {
      await session(await enter(token, note));
      await thank();
      note = "";
    } catch (error) {
      if (error.status !== 404) throw error;
      note = UNKNOWN;
    }
    memory.clear();
    token = null;
  }
}

study().catch(async (error) => {
  await tell("text", "Reload", element("h1", {}, "This did not work"),
    paragraph(error instanceof server.Refusal ? error.message : "The page ran into a fault."),
    paragraph("Your answers so far are saved. Reload the page to go on."));
  location.reload();
});
