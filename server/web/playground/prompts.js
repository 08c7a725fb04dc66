// What was drawn, in pixels of the picture, and as the items that Label Studio sends for it.

import { strokeRle } from "./stroke.js";

export const LABEL = "Object";
const CONTROLS = { click: "click", box: "box", stroke: "scribble" };

/** A drawn prompt with the id that Label Studio would give its region. */
export function prompt(kind, geometry) {
  return { kind, id: newId(), ...geometry };
}

/** The items of `params.context.result`. */
export function drawnItems(prompts, { width, height }) {
  return prompts.map((drawn) => ({
    original_width: width,
    original_height: height,
    image_rotation: 0,
    ...SHAPES[drawn.kind](drawn, width, height),
    id: drawn.id,
    from_name: CONTROLS[drawn.kind],
    to_name: "image",
    origin: "manual",
  }));
}

const SHAPES = {
  click: ({ x, y, positive }, width, height) => ({
    value: { x: (100 * x) / width, y: (100 * y) / height, width: 0.25, labels: [LABEL], keypointlabels: [LABEL] },
    is_positive: positive,
    type: "keypointlabels",
  }),
  box: (box, width, height) => ({
    value: {
      x: (100 * box.x) / width,
      y: (100 * box.y) / height,
      width: (100 * box.width) / width,
      height: (100 * box.height) / height,
      rotation: 0,
      rectanglelabels: [LABEL],
    },
    type: "rectanglelabels",
  }),
  stroke: (stroke, width, height) => {
    stroke.rle ??= strokeRle(stroke, width, height);
    return { value: { format: "rle", rle: stroke.rle, brushlabels: [LABEL] }, type: "brushlabels" };
  },
};

function newId() {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  return [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => alphabet[byte % 64]).join("");
}
