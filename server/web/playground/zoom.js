// Which part of the picture is shown: a centre, and how many times larger than when all of it fits the room there is.

const LARGEST = 16; // CSS px per pixel of the picture

/** The frame that shows all of a picture. */
export function wholeOf({ width, height }) {
  return { zoom: 1, x: width / 2, y: height / 2 };
}

/**
 * The rectangle of the picture that a frame shows in `room` ([width, height], CSS px), in pixels of the picture,
 * and its scale: CSS px per pixel. It is smaller than the room where the picture is.
 */
export function shownPart(frame, picture, room) {
  const scale = fitting(picture, room) * frame.zoom;
  const [x, width] = span(frame.x, picture.width, room[0] / scale);
  const [y, height] = span(frame.y, picture.height, room[1] / scale);
  return { x, y, width, height, scale };
}

/** A frame `factor` times as large, with what was at `from` now at `to`; both are CSS px right of and below the centre. */
export function turned(frame, picture, room, { factor = 1, from, to = from }) {
  const fit = fitting(picture, room);
  const zoom = Math.min(Math.max(1, LARGEST / fit), Math.max(1, frame.zoom * factor));
  const moved = {
    zoom,
    x: frame.x + from[0] / (fit * frame.zoom) - to[0] / (fit * zoom),
    y: frame.y + from[1] / (fit * frame.zoom) - to[1] / (fit * zoom),
  };
  return centred(moved, picture, room);
}

/** The frame itself where it shows a point of the picture, else one around that point. */
export function revealing(frame, picture, room, [x, y]) {
  const part = shownPart(frame, picture, room);
  const seen = x >= part.x && x <= part.x + part.width && y >= part.y && y <= part.y + part.height;
  return seen ? frame : centred({ ...frame, x, y }, picture, room);
}

/** A frame that shows nothing beside the picture. */
function centred(frame, picture, room) {
  const { x, y, width, height } = shownPart(frame, picture, room);
  return { zoom: frame.zoom, x: x + width / 2, y: y + height / 2 };
}

function fitting(picture, room) {
  return Math.max(0.01, Math.min(room[0] / picture.width, room[1] / picture.height));
}

function span(centre, whole, wanted) {
  const length = Math.min(whole, wanted);
  return [Math.min(whole - length, Math.max(0, centre - length / 2)), length];
}
