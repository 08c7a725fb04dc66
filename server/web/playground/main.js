// The page: one picture, what was drawn on it, and the newest answer.

import { listen } from "./gestures.js";
import { OUTPUTS, predict, predictBody } from "./label_studio.js";
import { maskFile } from "./mask.js";
import { startNavigation } from "./navigation.js";
import { showExchange, showScores, showTimings, startTabs } from "./panel.js";
import { chosenOptions, showRefusedOption, startOptions } from "./options.js";
import { openPicture, pictureIn } from "./picture.js";
import { prompt } from "./prompts.js";
import { silhouette } from "./regions.js";
import { sampleFile } from "./sample.js";
import { startShortcuts } from "./shortcuts.js";
import { showBusy, showError, showStatus } from "./status.js";
import { View } from "./view.js";

const find = (id) => document.getElementById(id);
const chosen = (name) => document.querySelector(`[name=${name}]:checked`).value;

const state = { picture: null, prompts: [], silhouettes: [], draft: null, cursor: null, asked: 0 };
const view = new View(find("canvas"), find("board"), () => state, (isWhole) => {
  find("whole").disabled = find("reduce").disabled = isWhole;
});
const ZOOM_STEP = 1.5;

async function open(file, isFile) {
  if (!file) return;
  try {
    const picture = await openPicture(file, isFile);
    state.picture?.bitmap.close();
    Object.assign(state, { picture, cursor: null });
  } catch (error) {
    showError(error.message);
    return;
  }
  document.body.classList.add("has-picture");
  find("name").textContent = state.picture.name;
  find("size").textContent = ` · ${state.picture.width} × ${state.picture.height}`;
  find("enlarge").disabled = false;
  view.fit();
  forget();
  find("canvas").focus({ preventScroll: true });
  await ask("Sending the picture", "Ready. Click the thing you want, or drag a box around it.");
}

/** Asks for what is drawn now. As in Label Studio, older requests go on, and only the newest answer counts. */
async function ask(busy, idle) {
  const started = performance.now();
  const turn = (state.asked += 1);
  const { picture, prompts } = state;
  const body = predictBody(picture, prompts, chosen("output"), chosenOptions());
  const prepare = performance.now() - started;
  showExchange({ body, answer: null, picture });
  const finish = showBusy(busy);
  let answer = null;
  try {
    const reply = await predict(body);
    const answered = performance.now();
    answer = reply.answer;
    picture.encoded ||= prompts.length > 0;
    const regions = answer.results[0]?.result ?? [];
    const silhouettes = await Promise.all(regions.map(silhouette));
    if (turn !== state.asked) return;
    showRegions(regions, silhouettes);
    showRefusedOption("");
    showTimings({ ...reply, prepare, show: performance.now() - answered });
    showStatus(idle ?? summary());
  } catch (error) {
    if (turn !== state.asked) return;
    answer ??= error.answer;
    showRegions([], []);
    showTimings(null);
    showError(error.message);
    showRefusedOption(error.message);
  } finally {
    if (turn === state.asked) showExchange({ body, answer, picture });
    finish();
  }
}

function showRegions(regions, silhouettes) {
  Object.assign(state, { regions, silhouettes });
  state.share = view.showMask();
  showScores(regions, state.share);
  find("download").disabled = regions.length === 0;
}

function summary() {
  const { regions, share, prompts } = state;
  if (regions.length) {
    const [score, covers] = [Math.max(...regions.map((region) => region.score)).toFixed(3), (100 * share).toFixed(1)];
    const mixed = new Set(prompts.map(({ kind }) => kind)).size > 1;
    const note = mixed ? " Label Studio sends one kind of mark at a time." : "";
    return `${regions.length > 1 ? `${regions.length} regions` : "Mask"}: score ${score}, ${covers} % of the picture.${note}`;
  }
  const onlyNegative = prompts.every((drawn) => drawn.positive === false);
  return onlyNegative ? "Nothing yet: add a positive click or a box." : "The model found nothing there.";
}

function askForDrawn() {
  const noun = state.picture.encoded ? "Segmenting" : "Encoding the picture, once";
  return state.prompts.length ? ask(noun) : forget("Cleared. Click the thing you want.");
}

/** Drops what was drawn, the answer, and every answer still to come. */
function forget(message) {
  state.asked += 1;
  state.prompts = [];
  showRegions([], []);
  showTimings(null);
  showExchange({ body: null, answer: null });
  updateButtons();
  if (message) showStatus(message);
}

function change(prompts) {
  state.prompts = prompts;
  updateButtons();
  view.repaint();
  askForDrawn();
}

function updateButtons() {
  find("undo").disabled = find("clear").disabled = state.prompts.length === 0;
}

async function download() {
  const name = `${state.picture.name.replace(/\.[^.]*$/, "")}-mask.png`;
  const url = URL.createObjectURL(await maskFile(state.silhouettes, state.picture));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function tool() {
  const longest = Math.max(view.part.width, view.part.height);
  return { name: chosen("tool"), radius: (longest * find("brush").valueAsNumber) / 200 };
}

const show = (name) => (value) => {
  state[name] = value;
  view.repaint();
};
const done = (kind, geometry) => change([...state.prompts, prompt(kind, geometry)]);
const abandon = listen(view, { tool, done, draft: show("draft"), cursor: show("cursor") });
startNavigation(view, abandon);

const actions = {
  undo: () => change(state.prompts.slice(0, -1)),
  clear: () => forget("Cleared. Click the thing you want."),
  download,
  enlarge: () => view.turn({ factor: ZOOM_STEP }),
  reduce: () => view.turn({ factor: 1 / ZOOM_STEP }),
  whole: () => state.picture && view.fit(),
  choose: () => find("file").click(),
  sample: async () => open(await sampleFile(), false),
};
for (const [id, act] of Object.entries(actions)) find(id).addEventListener("click", act);
for (const button of document.querySelectorAll(".tools button")) {
  button.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays, so that space moves the picture
}
find("browse").addEventListener("click", actions.choose);
find("file").addEventListener("change", ({ target }) => {
  open(target.files[0]);
  target.value = ""; // so that the same file can be chosen again
});
const askAgain = () => state.prompts.length && askForDrawn();
for (const radio of document.querySelectorAll("[name=output]")) radio.addEventListener("change", askAgain);
startOptions(askAgain);

addEventListener("paste", ({ clipboardData }) => open(pictureIn(clipboardData), false));
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  open(pictureIn(event.dataTransfer));
});

startTabs();
startShortcuts(actions, Object.keys(OUTPUTS));
showExchange({ body: null, answer: null });
fetch("health")
  .then((response) => response.json())
  .then(({ model_class: title, model_version: version, provider }) => {
    find("model").textContent = title;
    find("version").textContent = `${version} · ${provider.replace("ExecutionProvider", "")}`;
  })
  .catch(() => (find("model").textContent = "The server cannot be reached"));
