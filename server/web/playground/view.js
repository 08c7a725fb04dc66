// The canvas: the picture or the part of it that is shown, the mask over it, what was drawn on top.

import { paintCursor, paintMark } from "./marks.js";
import { maskOverlay, maskShare } from "./mask.js";
import { revealing, shownPart, turned, wholeOf } from "./zoom.js";

const SQUARES = 4; // from so many px of the canvas per pixel of the picture on, pixels are shown as squares

export class View {
  /**
   * `scene` gives {picture, silhouettes, prompts, draft, cursor} at any time; `framed(isWhole)` is told when another
   * part is shown.
   */
  constructor(canvas, board, scene, framed) {
    Object.assign(this, { canvas, board, scene, framed, backdrop: null, mask: null, drawing: 0, stale: false });
    new ResizeObserver(() => this.layOut()).observe(board);
  }

  /** Shows the whole picture: call it when there is another one. */
  fit() {
    this.frame = wholeOf(this.scene().picture);
    this.layOut();
  }

  /** Zooms and moves, soon; `change` as `turned` takes it, with places of pointers, or around the middle. */
  turn({ factor, from, to }) {
    const { picture, cursor } = this.scene();
    if (!picture) return;
    const middle = cursor ? this.onScreen(cursor) : [0, 0];
    const change = { factor, from: from ? this.offset(from) : middle, to: to && this.offset(to) };
    this.reframe(turned(this.frame, picture, this.room(), change));
  }

  /** Moves, soon, so far that a point of the picture is seen. */
  reveal(point) {
    this.reframe(revealing(this.frame, this.scene().picture, this.room(), point));
  }

  /** Lays the mask over the picture; gives the share of the picture that it covers. */
  showMask() {
    const { picture, silhouettes } = this.scene();
    this.layMask();
    this.paint();
    return silhouettes.length ? maskShare(silhouettes, picture) : 0;
  }

  /** Paints soon, once however often it is called. */
  repaint() {
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => (this.stale ? this.layOut() : this.paint()));
  }

  /** Where on the picture, in its pixels, a pointer is. */
  place({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const { picture } = this.scene();
    const inside = (value, most) => Math.min(most, Math.max(0, value));
    return [
      inside(this.part.x + ((clientX - left) / width) * this.part.width, picture.width),
      inside(this.part.y + ((clientY - top) / height) * this.part.height, picture.height),
    ];
  }

  /** The middle of what is shown, in pixels of the picture. */
  middle() {
    return [this.part.x + this.part.width / 2, this.part.y + this.part.height / 2];
  }

  reframe(frame) {
    this.frame = frame;
    this.stale = true;
    this.repaint();
  }

  /** Everything anew, for the room that there is. */
  layOut() {
    const { picture } = this.scene();
    if (!picture) return;
    this.stale = false;
    this.part = shownPart(this.frame, picture, this.room());
    this.ratio = window.devicePixelRatio || 1;
    const size = [this.part.width, this.part.height].map((side) => Math.max(1, Math.round(side * this.part.scale)));
    [this.canvas.style.width, this.canvas.style.height] = size.map((side) => `${side}px`);
    [this.canvas.width, this.canvas.height] = size.map((side) => Math.round(side * this.ratio));
    const [across, down] = [this.canvas.width / this.part.width, this.canvas.height / this.part.height];
    this.transform = [across, 0, 0, down, -this.part.x * across, -this.part.y * down];
    this.backdrop = this.layer((context) => context.drawImage(picture.bitmap, 0, 0));
    this.layMask();
    this.paint();
    this.framed(this.frame.zoom === 1);
  }

  layMask() {
    const { silhouettes } = this.scene();
    this.mask = silhouettes.length ? maskOverlay(silhouettes, (draw) => this.layer(draw), this.ratio) : null;
  }

  /** A canvas of this one's size, drawn on in pixels of the picture. */
  layer(draw) {
    const canvas = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const context = canvas.getContext("2d");
    context.setTransform(...this.transform);
    context.imageSmoothingEnabled = this.transform[0] < SQUARES;
    context.imageSmoothingQuality = "high";
    draw(context);
    return canvas;
  }

  paint() {
    const { prompts, draft, cursor } = this.scene();
    if (!this.backdrop) return;
    this.canvas.classList.toggle("crossed", Boolean(cursor));
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.backdrop, 0, 0);
    if (this.mask) context.drawImage(this.mask, 0, 0);
    context.setTransform(...this.transform);
    const unit = 1 / this.part.scale; // a CSS pixel, in pixels of the picture
    for (const mark of draft ? [...prompts, draft] : prompts) paintMark(context, mark, unit);
    if (cursor) paintCursor(context, cursor, unit);
  }

  /** The room for the picture, CSS px. */
  room() {
    const { paddingLeft, paddingTop } = getComputedStyle(this.board);
    const { clientWidth, clientHeight } = this.board;
    return [clientWidth - 2 * Number.parseFloat(paddingLeft), clientHeight - 2 * Number.parseFloat(paddingTop)];
  }

  /** How far right of and below the canvas' centre a pointer is, CSS px. */
  offset([clientX, clientY]) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [clientX - left - width / 2, clientY - top - height / 2];
  }

  /** The same for a point of the picture. */
  onScreen([x, y]) {
    const { width, height, scale } = this.part;
    return [(x - this.part.x - width / 2) * scale, (y - this.part.y - height / 2) * scale];
  }
}
