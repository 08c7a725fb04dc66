// The panel beside the picture: scores, timings, and the request and answer to read or copy.

import { copyText } from "./copy.js";
import { curlCommand } from "./curl.js";
import { jsonNodes } from "./json.js";
import { jsonPieces } from "./label_studio.js";
import { milliseconds, timeline } from "./timings.js";

const find = (id) => document.getElementById(id);

/** Scores, one a region, and how much of the picture they cover. */
export function showScores(regions, share) {
  const scores = regions.map(({ score }) => score);
  find("score").textContent = scores.length ? Math.max(...scores).toFixed(3) : "–";
  find("meter").value = scores.length ? Math.max(...scores) : 0;
  find("covers").textContent = scores.length ? `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %` : "–";
  find("parts").textContent = scores.length || "–";
  find("noun").textContent = scores.length === 1 ? "region" : "regions";
}

/** A bar and a list of where the time went; `measured` as `timeline` takes it, or null. */
export function showTimings(measured) {
  const steps = measured ? timeline(measured) : [];
  const whole = steps.reduce((sum, { ms }) => sum + ms, 0);
  find("total").textContent = measured ? milliseconds(whole) : "–";
  find("bar").replaceChildren(...steps.map((step, index) => barPart(step, index, whole)));
  find("steps").replaceChildren(...steps.flatMap(stepRow));
}

/** What was sent and what came back; null where there is nothing yet. */
export function showExchange({ body, answer, picture }) {
  fill("request", body && jsonNodes(body), () => jsonPieces(body, 1).join(""));
  fill("answer", answer && jsonNodes(answer), () => JSON.stringify(answer, null, 1));
  const command = body && curlCommand(body, picture);
  fill("curl", command && [shortened(command)], () => command);
}

/** Makes the tabs work with pointer and arrow keys, and their copy button copy in full what is shown shortened. */
export function startTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      find(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = tabs.at((index + step) % tabs.length);
      choose(next);
      next.focus();
    });
  });
  find("copy").addEventListener("click", () => {
    const shown = find(tabs.find(({ ariaSelected }) => ariaSelected === "true").getAttribute("aria-controls"));
    confirmCopy(copyText(full.get(shown.id)?.() ?? ""));
  });
}

const full = new Map(); // what is shown -> its whole text, made when it is copied

function fill(id, nodes, text) {
  if (nodes) {
    full.set(id, text);
    find(id).replaceChildren(...nodes);
  } else {
    full.delete(id);
    find(id).replaceChildren();
  }
}

async function confirmCopy(copied) {
  const button = find("copy");
  button.textContent = (await copied) ? "Copied" : "Not copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

function barPart({ label, ms, where }, index, whole) {
  const part = document.createElement("span");
  part.className = `part ${where} shade-${index % 3}`;
  part.style.flexGrow = ms / whole;
  part.title = `${label}: ${milliseconds(ms)}`;
  return part;
}

function stepRow({ label, ms, where }, index) {
  const name = Object.assign(document.createElement("dt"), { className: `${where} shade-${index % 3}`, textContent: label });
  return [name, Object.assign(document.createElement("dd"), { textContent: milliseconds(ms) })];
}

function shortened(command) {
  return command
    .replace(/(base64,[^$]{48})[A-Za-z0-9+/=]{200,}/, "$1…")
    .replace(/((?:\n\s+\d+,){8})(?:\n\s+\d+,?){20,}/g, "$1\n …");
}
