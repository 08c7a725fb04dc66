// What goes on, said on and below the picture, and to screen readers.

const SOON = 120; // ms; what is done sooner is not announced, so that nothing flickers

const find = (id) => document.getElementById(id);
let underWay = 0;

/** Says a sentence, politely. */
export function showStatus(text) {
  find("status").textContent = text;
  find("error").textContent = "";
}

/** Says at once what went wrong. */
export function showError(text) {
  find("status").textContent = "";
  find("error").textContent = text;
}

/** Shows that something goes on, and for how long; the function it gives ends that. */
export function showBusy(text) {
  const started = performance.now();
  underWay += 1;
  const announce = setTimeout(() => {
    document.body.classList.add("busy");
    find("busy").textContent = text;
  }, SOON);
  const clock = setInterval(() => {
    find("elapsed").textContent = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  }, 100);
  return () => {
    clearTimeout(announce);
    clearInterval(clock);
    underWay -= 1;
    if (underWay) return;
    document.body.classList.remove("busy");
    find("busy").textContent = find("elapsed").textContent = "";
  };
}
