// JSON for reading: long texts and lists of numbers shortened, in colours.

const LONGEST_TEXT = 56;
const MOST_NUMBERS = 12;
const MOST_ENTRIES = 8;
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;

/** Elements that show a value's JSON. */
export function jsonNodes(value) {
  const text = JSON.stringify(shortened(value), null, 2).replace(/"\uE000(.*?)\uE000"/g, "$1");
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    nodes.push(text.slice(end, match.index), coloured(match));
    end = match.index + match[0].length;
  }
  return [...nodes, text.slice(end)];
}

function coloured([token, string, colon]) {
  const kind = colon ? "key" : string ? "string" : /^[-\d]/.test(token) ? "number" : "word";
  return Object.assign(document.createElement("span"), { className: `json-${kind}`, textContent: token });
}

function shortened(value) {
  if (typeof value === "string") return shortText(value);
  if (Array.isArray(value)) return isNumbers(value) ? oneLine(value) : shortList(value);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner)]));
  }
  return value;
}

function shortText(text) {
  if (!text.startsWith("data:") || text.length <= LONGEST_TEXT) return text;
  return `${text.slice(0, LONGEST_TEXT)}… (${text.length.toLocaleString("en")} characters)`;
}

function isNumbers(list) {
  return list.length > 0 && list.every((entry) => typeof entry === "number");
}

function oneLine(list) {
  const shown = list.slice(0, MOST_NUMBERS).map((number) => (Number.isInteger(number) ? number : number.toFixed(3)));
  return bare(`[${shown.join(", ")}${list.length > MOST_NUMBERS ? `, ${more(list, MOST_NUMBERS)}` : ""}]`);
}

function shortList(list) {
  if (list.length <= MOST_ENTRIES) return list.map(shortened);
  return [...list.slice(0, MOST_ENTRIES).map(shortened), bare(more(list, MOST_ENTRIES))];
}

function more(list, shown) {
  return `… ${(list.length - shown).toLocaleString("en")} more`;
}

/** A text that is shown without its quotes. */
function bare(text) {
  return `\uE000${text}\uE000`;
}
