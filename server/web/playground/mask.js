// A mask made of silhouettes, as a picture to lay over the picture, and as a file.

const TINT = "rgb(38 92 255 / 0.44)";
const EDGE = "#1f54ff";
const HALO = "#ffffff";
const DIRECTIONS = 16;
const MEASURED = 1024; // px of the longest side of the picture that a mask's share is counted on

/** The tint with its outline; `layer(draw)` gives a canvas that was drawn on in pixels of the picture. */
export function maskOverlay(silhouettes, layer, pixelRatio) {
  const shape = layer((context) => {
    for (const paint of silhouettes) paint(context);
  });
  return drawn(shape.width, shape.height, (context) => {
    context.drawImage(ring(shape, 3 * pixelRatio, HALO), 0, 0);
    context.drawImage(ring(shape, 1.75 * pixelRatio, EDGE), 0, 0);
    context.drawImage(coloured(shape, TINT), 0, 0);
  });
}

/** The share of a picture that silhouettes cover, 0 to 1. */
export function maskShare(silhouettes, { width, height }) {
  const scale = Math.min(1, MEASURED / Math.max(width, height));
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const shape = drawn(across, down, (context) => {
    context.scale(across / width, down / height);
    for (const paint of silhouettes) paint(context);
  });
  return coverage(shape);
}

/** A PNG of the picture's size: white is the object, black the rest. */
export function maskFile(silhouettes, { width, height }) {
  return drawn(width, height, (context) => {
    context.fillRect(0, 0, width, height);
    for (const paint of silhouettes) paint(context);
  }).convertToBlob({ type: "image/png" });
}

function drawn(width, height, draw) {
  const canvas = new OffscreenCanvas(width, height);
  draw(canvas.getContext("2d"));
  return canvas;
}

function coloured(shape, colour) {
  return drawn(shape.width, shape.height, (context) => {
    context.drawImage(shape, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = colour;
    context.fillRect(0, 0, shape.width, shape.height);
  });
}

/** A line of `radius` px around the shape: the shape smeared in all directions, without itself. */
function ring(shape, radius, colour) {
  const smeared = drawn(shape.width, shape.height, (context) => {
    for (let step = 0; step < DIRECTIONS; step += 1) {
      const angle = (2 * Math.PI * step) / DIRECTIONS;
      context.drawImage(shape, radius * Math.cos(angle), radius * Math.sin(angle));
    }
    context.globalCompositeOperation = "destination-out";
    context.drawImage(shape, 0, 0);
  });
  return coloured(smeared, colour);
}

/** The share of a canvas that is painted, 0 to 1. */
function coverage(shape) {
  const { data } = shape.getContext("2d").getImageData(0, 0, shape.width, shape.height);
  let painted = 0;
  for (let at = 3; at < data.length; at += 4) painted += data[at];
  return painted / 255 / (data.length / 4);
}
