// Wheel, pinch, middle button and space: zooming and moving what a view shows.

const WHEEL = 0.0018; // e-fold a px
const PINCHED = 0.01; // the same for a pinch on a touchpad, which comes as a wheel with Ctrl in smaller steps
const LINE = 16; // px; some mice report lines
const TAKES_SPACE = "button, input:not([type=radio], [type=range]), select, summary, pre";

/** Listens on a view's board, before its canvas; `abandon()` drops what is being drawn when a second finger comes. */
export function startNavigation(view, abandon) {
  const pointers = new Map(); // those that are down, with their places
  let space = false;
  let moving = false;
  const look = () => {
    view.canvas.classList.toggle("movable", space);
    view.canvas.classList.toggle("moving", moving);
  };
  const listen = (kind, act) => view.board.addEventListener(kind, act, { capture: true });

  listen("pointerdown", (event) => {
    if (event.target !== view.canvas) return;
    const isTouch = event.pointerType === "touch";
    if (!isTouch && event.button !== 1 && !space) return;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (isTouch && pointers.size < 2 && !moving) return; // one finger draws
    moving = true;
    abandon();
    view.canvas.setPointerCapture(event.pointerId);
    event.stopPropagation();
    look();
  });
  listen("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = spread(pointers);
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (!moving) return;
    event.stopPropagation();
    const after = spread(pointers);
    view.turn({ factor: before.wide ? after.wide / before.wide : 1, from: before.centre, to: after.centre });
  });
  const lift = (event) => {
    if (!pointers.delete(event.pointerId) || !moving) return;
    event.stopPropagation();
    moving = pointers.size > 0; // the last finger of a pinch draws nothing
    look();
  };
  listen("pointerup", lift);
  listen("pointercancel", lift);
  listen("mousedown", (event) => event.button === 1 && event.preventDefault()); // no scrolling by itself

  listenToSpace((held) => {
    space = held;
    look();
  });
  listenToWheel(view);
}

function listenToWheel(view) {
  view.canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const px = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    view.turn({ factor: Math.exp(-px * (event.ctrlKey ? PINCHED : WHEEL)), from: [event.clientX, event.clientY] });
  });
}

/** Calls `changed(held)` where space means nothing else. */
function listenToSpace(changed) {
  addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest?.(TAKES_SPACE)) return;
    event.preventDefault();
    changed(true);
  });
  addEventListener("keyup", ({ key }) => key === " " && changed(false));
  addEventListener("blur", () => changed(false));
}

/** The centre of the pointers, and how far they are from it on average. */
function spread(pointers) {
  const places = [...pointers.values()];
  const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const centre = [0, 1].map((axis) => mean(places.map((place) => place[axis])));
  return { centre, wide: mean(places.map(([x, y]) => Math.hypot(x - centre[0], y - centre[1]))) };
}
