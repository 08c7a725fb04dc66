// Where the time of a click went.

/** The steps in a Server-Timing header, each {name, ms}; those without a duration are left out. */
export function parseServerTiming(header) {
  return header
    .split(",")
    .map((entry) => entry.split(";").map((part) => part.trim()))
    .map(([name, ...parameters]) => ({ name, ...Object.fromEntries(parameters.map(parameter)) }))
    .filter(({ dur }) => Number.isFinite(Number.parseFloat(dur)))
    .map(({ name, dur, desc }) => ({ name, label: desc || name.replaceAll(/[_-]/g, " "), ms: Number.parseFloat(dur) }));
}

/** The round trip split into the server's steps and the rest, then what the browser did before and after it. */
export function timeline({ prepare, roundTrip, show, serverTiming }) {
  const steps = parseServerTiming(serverTiming);
  const total = steps.find(({ name }) => name === "total");
  const parts = steps.filter((step) => step !== total);
  const known = parts.reduce((sum, { ms }) => sum + ms, 0);
  const server = Math.max(total?.ms ?? 0, known);
  return [
    { label: "prepare", ms: prepare, where: "browser" },
    ...parts.map((step) => ({ ...step, where: "server" })),
    ...(server - known >= 0.1 ? [{ label: "other", ms: server - known, where: "server" }] : []),
    { label: steps.length ? "network" : "round trip", ms: Math.max(0, roundTrip - server), where: "network" },
    { label: "show", ms: show, where: "browser" },
  ];
}

/** Milliseconds for people: "812 ms", "9.4 ms", "1.24 s". */
export function milliseconds(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

function parameter(text) {
  const [name, value = ""] = text.split("=");
  return [name.trim(), value.trim().replace(/^"|"$/g, "")];
}
