// Pointer and keys on the canvas, as clicks, boxes and strokes.

const SHORTEST_DRAG = 5; // CSS px; a shorter one is a click that shook
const STEP = 0.01; // of the longest side of what is shown, for an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Listens on a view's canvas. `tool()` says what a drag or click is; `draft(drawn)` shows what is being drawn,
 * `cursor(place)` where the keyboard is, `done(kind, geometry)` takes the finished drawing.
 * Gives a function that drops what is being drawn.
 */
export function listen(view, { tool, draft, cursor, done }) {
  const { canvas } = view;
  let start = null; // the gesture under way
  const abandon = () => {
    start = null;
    draft(null);
  };
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 && event.button !== 2) return;
    canvas.setPointerCapture(event.pointerId);
    const negative = event.altKey || event.ctrlKey || event.button === 2 || tool().name === "exclude";
    start = { event, negative, points: [view.place(event)], moved: false };
    cursor(null);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!start) return;
    const { clientX, clientY } = start.event;
    start.moved ||= Math.hypot(event.clientX - clientX, event.clientY - clientY) >= SHORTEST_DRAG;
    for (const each of event.getCoalescedEvents?.() ?? [event]) start.points.push(view.place(each));
    if (start.moved) draft(drawnBy(start, tool()));
  });
  canvas.addEventListener("pointerup", () => {
    if (!start) return;
    const { kind, ...geometry } = drawnBy(start, tool());
    abandon();
    done(kind, geometry);
  });
  canvas.addEventListener("pointercancel", abandon);
  listenToKeys(view, { cursor, tool, done });
  return abandon;
}

function drawnBy({ points, negative, moved }, tool) {
  const [[x1, y1], [x2, y2]] = [points[0], points.at(-1)];
  if (tool.name === "scribble" && !negative) return { kind: "stroke", points: [...points], radius: tool.radius };
  const box = { x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) };
  if (moved && box.width && box.height) return { kind: "box", ...box };
  return { kind: "click", x: x1, y: y1, positive: !negative };
}

/** Arrow keys move a cross over the picture, and what is shown with it; Enter clicks there. */
function listenToKeys(view, { cursor, tool, done }) {
  view.canvas.addEventListener("keydown", (event) => {
    const { picture, cursor: at } = view.scene();
    if (!picture) return;
    const [x, y] = at ?? view.middle();
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = Math.max(view.part.width, view.part.height) * STEP * (event.shiftKey ? 5 : 1);
      const place = [bounded(x + arrow[0] * step, picture.width), bounded(y + arrow[1] * step, picture.height)];
      cursor(place);
      view.reveal(place);
    } else if (event.key === "Enter" && at) {
      done("click", { x, y, positive: !(event.altKey || tool().name === "exclude") });
    } else return;
    event.preventDefault();
  });
  view.canvas.addEventListener("focus", () => {
    if (view.scene().picture && view.canvas.matches(":focus-visible")) cursor(view.middle());
  });
  view.canvas.addEventListener("blur", () => cursor(null));
}

function bounded(value, most) {
  return Math.min(most, Math.max(0, value));
}
