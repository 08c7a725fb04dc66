// Speaking to the server as Label Studio does: the labeling config, the body of /predict, the answer.

import { LABEL, drawnItems } from "./prompts.js";

/** The kinds of region that an answer can be, and the control that asks for each. */
export const OUTPUTS = {
  bitmask: "BitmaskLabels",
  brush: "BrushLabels",
  polygon: "PolygonLabels",
  vector: "VectorLabels",
  ellipse: "EllipseLabels",
  rectangle: "RectangleLabels",
};

const NAME = "playground"; // of the task and its project: no number, so that no task of Label Studio's is mistaken for it
const IMAGE_SLOT = "\u0000"; // no picture's data: URI holds it; it marks where one goes

/** A labeling config that is answered with regions of kind `output`, made with `options`: attributes, as texts. */
export function labelConfig(output, options, hasStroke) {
  const label = `<Label value="${LABEL}"/>`;
  const tag = (kind, name, more = "") =>
    `  <${kind} name="${name}" toName="image"${more}>${label}</${kind}>`;
  // a config with BrushLabels is answered with a brush region, unless the control that draws says otherwise
  const smart = ` smart="true"${hasStroke ? ` samOutput="${output}"` : ""}`;
  return [
    "<View>",
    '  <Image name="image" value="$image"/>',
    tag(OUTPUTS[output], "mask", `${output === "vector" ? ' closable="true"' : ""}${attributes(options)}`),
    tag("KeyPointLabels", "click", smart),
    tag("RectangleLabels", "box", smart),
    ...(hasStroke ? [tag("BrushLabels", "scribble", smart)] : []),
    "</View>",
  ].join("\n");
}

function attributes(options) {
  return Object.entries(options)
    .map(([name, value]) => ` ${name}="${value.replace(/[&<"]/g, (sign) => `&#${sign.charCodeAt(0)};`)}"`)
    .join("");
}

/** The body of /predict for a picture; without prompts, as when a task is opened. */
export function predictBody(picture, prompts, output, options) {
  const hasStroke = prompts.some(({ kind }) => kind === "stroke");
  return {
    tasks: [{ id: NAME, data: { image: picture.dataUri }, annotations: [], drafts: [], predictions: [] }],
    project: NAME,
    label_config: labelConfig(output, options, hasStroke),
    params: {
      login: null,
      password: null,
      context: prompts.length ? { result: drawnItems(prompts, picture) } : null,
    },
  };
}

/** A body's JSON in three pieces: before the picture's data: URI, the URI, after it. It can be many megabytes. */
export function jsonPieces(body, indent) {
  const [task] = body.tasks;
  const slotted = { ...body, tasks: [{ ...task, data: { image: IMAGE_SLOT } }] };
  const [before, after] = JSON.stringify(slotted, null, indent).split(JSON.stringify(IMAGE_SLOT).slice(1, -1));
  return [before, task.data.image, after];
}

/** Posts a body: the answer, what its headers say, and how long it took; throws an Error that says what went wrong. */
export async function predict(body) {
  const started = performance.now();
  let response;
  try {
    response = await fetch("predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: new Blob(jsonPieces(body)),
    });
  } catch {
    throw new Error("The server cannot be reached. Is it still running?");
  }
  const text = await response.text();
  const roundTrip = performance.now() - started;
  const answer = parsed(text);
  if (!response.ok) throw Object.assign(new Error(answer?.detail ?? `${response.status} ${response.statusText}`), { answer });
  if (!answer) throw new Error("The server's answer is not JSON.");
  return { answer, roundTrip, serverTiming: response.headers.get("Server-Timing") ?? "" };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
