// An answer's region as something that can be painted; what it is, its value's keys say, as in Label Studio's editor.

import { decodeRle } from "./rle.js";

/** A function that paints the region in white on a canvas whose units are pixels of the picture. */
export async function silhouette(region) {
  const { value, original_width: width, original_height: height } = region;
  if (value.rle) return picturePainter(rleCanvas(value.rle, width, height));
  if (value.imageDataURL) return picturePainter(await pngBitmap(value.imageDataURL));
  return pathPainter(outline(value, width, height));
}

function picturePainter(picture) {
  return (context) => context.drawImage(picture, 0, 0);
}

function pathPainter(path) {
  return (context) => {
    context.fillStyle = "#fff";
    context.fill(path);
  };
}

function rleCanvas(rle, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(new ImageData(decodeRle(rle, width, height), width, height), 0, 0);
  return canvas;
}

async function pngBitmap(uri) {
  const bytes = Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

/** The path of a polygon, vector, ellipse or rectangle; the value's lengths are percents. */
function outline(value, width, height) {
  const [across, down] = [width / 100, height / 100];
  const path = new Path2D();
  const turn = ((value.rotation ?? 0) * Math.PI) / 180;
  const corners = value.points ?? value.vertices?.map(({ x, y }) => [x, y]);
  if (corners) {
    for (const [x, y] of corners) path.lineTo(x * across, y * down);
    path.closePath();
  } else if ("radiusX" in value) {
    path.ellipse(value.x * across, value.y * down, value.radiusX * across, value.radiusY * down, turn, 0, 2 * Math.PI);
  } else {
    const upright = new Path2D();
    upright.rect(0, 0, value.width * across, value.height * down);
    path.addPath(upright, new DOMMatrix().translate(value.x * across, value.y * down).rotate(value.rotation ?? 0));
  }
  return path;
}
