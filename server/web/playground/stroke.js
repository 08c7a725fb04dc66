// A scribbled stroke as the pixels it covers.

import { encodeRle } from "./rle.js";

/** Draws a stroke's line on a canvas whose units are pixels of the picture. */
export function traceStroke(context, stroke) {
  const [[x, y], ...rest] = stroke.points;
  context.lineWidth = 2 * stroke.radius;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x, y);
  for (const point of rest) context.lineTo(...point);
  context.stroke();
}

/** The RLE of a stroke on a picture of width x height px; only the box around the stroke is rasterised. */
export function strokeRle(stroke, width, height) {
  const { left, top, right, bottom } = bounds(stroke, width, height);
  if (right <= left || bottom <= top) return encodeRle([[width * height, false]]);
  const canvas = new OffscreenCanvas(right - left, bottom - top);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.translate(-left, -top);
  traceStroke(context, stroke);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const runs = [];
  const add = (pixels, painted) => {
    const last = runs.at(-1);
    if (last && last[1] === painted) last[0] += pixels;
    else if (pixels) runs.push([pixels, painted]);
  };
  add(top * width, false);
  for (let row = 0, at = 3; row < canvas.height; row += 1) {
    add(left, false);
    for (let column = 0; column < canvas.width; column += 1, at += 4) add(1, data[at] > 127);
    add(width - right, false);
  }
  add((height - bottom) * width, false);
  return encodeRle(runs);
}

function bounds({ points, radius }, width, height) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const edge = Math.ceil(radius) + 1;
  return {
    left: Math.max(0, Math.floor(Math.min(...xs)) - edge),
    top: Math.max(0, Math.floor(Math.min(...ys)) - edge),
    right: Math.min(width, Math.ceil(Math.max(...xs)) + edge),
    bottom: Math.min(height, Math.ceil(Math.max(...ys)) + edge),
  };
}
