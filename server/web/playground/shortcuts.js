// Keys that work everywhere on the page.

const TOOLS = { p: "include", n: "exclude", b: "scribble" };

const TYPED_IN = "select, input:not([type=radio], [type=range])";

/** `actions` by name; `outputs` are gone through with O. */
export function startShortcuts(actions, outputs) {
  const pick = (name, value) => document.querySelector(`[name=${name}][value=${value}]`).click();
  const keys = {
    ...Object.fromEntries(Object.entries(TOOLS).map(([key, tool]) => [key, () => pick("tool", tool)])),
    o: () => {
      const now = document.querySelector("[name=output]:checked").value;
      pick("output", outputs[(outputs.indexOf(now) + 1) % outputs.length]);
    },
    d: () => document.getElementById("download").click(),
    "[": () => document.getElementById("brush").stepDown(),
    "]": () => document.getElementById("brush").stepUp(),
    "+": actions.enlarge,
    "=": actions.enlarge, // + without Shift
    "-": actions.reduce,
    0: actions.whole,
    escape: () => document.getElementById("clear").click(),
  };
  addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    const command = event.ctrlKey || event.metaKey;
    const act = command ? key === "z" && !event.shiftKey && (() => document.getElementById("undo").click()) : keys[key];
    if (!act || event.altKey || event.target.closest?.(TYPED_IN)) return;
    event.preventDefault();
    act();
  });
}
