// The canvas: the picture as large as its board allows, the mask over it, what was drawn on top.

import { maskOverlay } from "./mask.js";
import { traceStroke } from "./stroke.js";

const SIGNS = { positive: "#12a150", negative: "#e5484d", box: "#ffffff", stroke: "rgb(18 161 80 / 0.6)" };

export class View {
  /** `scene` gives {picture, silhouettes, prompts, draft, cursor} at any time. */
  constructor(canvas, board, scene) {
    Object.assign(this, { canvas, board, scene, backdrop: null, mask: null, frame: 0 });
    new ResizeObserver(() => this.fit()).observe(board);
  }

  /** Takes the picture's shape: call it when there is another picture. */
  fit() {
    const { picture } = this.scene();
    if (!picture) return;
    const { paddingLeft: padding } = getComputedStyle(this.board);
    const room = [this.board.clientWidth, this.board.clientHeight].map((side) => side - 2 * Number.parseFloat(padding));
    const zoom = Math.max(0.01, Math.min(room[0] / picture.width, room[1] / picture.height));
    this.ratio = window.devicePixelRatio || 1;
    const size = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * zoom)));
    [this.canvas.style.width, this.canvas.style.height] = size.map((side) => `${side}px`);
    [this.canvas.width, this.canvas.height] = size.map((side) => Math.round(side * this.ratio));
    this.scale = this.canvas.width / picture.width;
    this.backdrop = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const context = this.backdrop.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(picture.bitmap, 0, 0, this.canvas.width, this.canvas.height);
    this.showMask();
  }

  /** Lays the mask over the picture; gives the share of the picture that it covers. */
  showMask() {
    const { silhouettes } = this.scene();
    const { width, height } = this.canvas;
    const made = silhouettes.length ? maskOverlay(silhouettes, width, height, this.scale, this.ratio) : null;
    this.mask = made?.overlay ?? null;
    this.paint();
    return made?.share ?? 0;
  }

  /** Paints soon, once however often it is called. */
  repaint() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  /** Where on the picture, in its pixels, a pointer is. */
  place({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const { picture } = this.scene();
    const inside = (value, most) => Math.min(most, Math.max(0, value));
    return [
      inside(((clientX - left) / width) * picture.width, picture.width),
      inside(((clientY - top) / height) * picture.height, picture.height),
    ];
  }

  paint() {
    const { prompts, draft, cursor } = this.scene();
    if (!this.backdrop) return;
    this.canvas.classList.toggle("crossed", Boolean(cursor));
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.backdrop, 0, 0);
    if (this.mask) context.drawImage(this.mask, 0, 0);
    context.scale(this.scale, this.scale);
    this.unit = this.ratio / this.scale; // a CSS pixel, in pixels of the picture
    for (const drawn of draft ? [...prompts, draft] : prompts) this[drawn.kind](context, drawn);
    if (cursor) this.cursor(context, cursor);
  }

  click(context, { x, y, positive }) {
    const arm = 3.5 * this.unit;
    context.fillStyle = positive ? SIGNS.positive : SIGNS.negative;
    context.strokeStyle = "#fff";
    context.lineWidth = 2 * this.unit;
    context.beginPath();
    context.arc(x, y, 8 * this.unit, 0, 2 * Math.PI);
    context.fill();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    if (positive) {
      context.moveTo(x, y - arm);
      context.lineTo(x, y + arm);
    }
    context.stroke();
  }

  box(context, { x, y, width, height }) {
    for (const [colour, thick] of [["rgb(0 0 0 / 0.55)", 4], [SIGNS.box, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = thick * this.unit;
      context.strokeRect(x, y, width, height);
    }
  }

  stroke(context, stroke) {
    context.strokeStyle = SIGNS.stroke;
    traceStroke(context, stroke);
  }

  cursor(context, [x, y]) {
    const [near, far] = [5 * this.unit, 16 * this.unit];
    for (const [colour, thick] of [["#000", 4], ["#fff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = thick * this.unit;
      context.beginPath();
      for (const [across, down] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + across * near, y + down * near);
        context.lineTo(x + across * far, y + down * far);
      }
      context.stroke();
    }
  }
}
