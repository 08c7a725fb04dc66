// What was drawn, painted on a canvas whose units are pixels of the picture; `unit` is a CSS px in those.

import { traceStroke } from "./stroke.js";

const SIGNS = { positive: "#12a150", negative: "#e5484d", box: "#ffffff", stroke: "rgb(18 161 80 / 0.6)" };

/** Paints a click, a box or a stroke. */
export function paintMark(context, mark, unit) {
  PAINT[mark.kind](context, mark, unit);
}

/** The cross that the arrow keys move. */
export function paintCursor(context, [x, y], unit) {
  const [near, far] = [5 * unit, 16 * unit];
  for (const [colour, thick] of [["#000", 4], ["#fff", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = thick * unit;
    context.beginPath();
    for (const [across, down] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + across * near, y + down * near);
      context.lineTo(x + across * far, y + down * far);
    }
    context.stroke();
  }
}

const PAINT = {
  click: (context, { x, y, positive }, unit) => {
    const arm = 3.5 * unit;
    context.fillStyle = positive ? SIGNS.positive : SIGNS.negative;
    context.strokeStyle = "#fff";
    context.lineWidth = 2 * unit;
    context.beginPath();
    context.arc(x, y, 8 * unit, 0, 2 * Math.PI);
    context.fill();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    if (positive) {
      context.moveTo(x, y - arm);
      context.lineTo(x, y + arm);
    }
    context.stroke();
  },
  box: (context, { x, y, width, height }, unit) => {
    for (const [colour, thick] of [["rgb(0 0 0 / 0.55)", 4], [SIGNS.box, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = thick * unit;
      context.strokeRect(x, y, width, height);
    }
  },
  stroke: (context, stroke) => {
    context.strokeStyle = SIGNS.stroke;
    traceStroke(context, stroke);
  },
};
