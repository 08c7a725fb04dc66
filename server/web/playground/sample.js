// A picture to try at once, drawn here: no photograph is shipped.

const [WIDTH, HEIGHT] = [1200, 800];

/** A still life as a JPEG file: a cup, a pear, two oranges and a leaf on a table. */
export async function sampleFile() {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d");
  wall(context);
  pear(context, 400, 430);
  orange(context, 905, 545, 92);
  orange(context, 1058, 590, 74);
  cup(context, 620, 470);
  leaf(context, 250, 640);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  return new File([blob], "still-life.jpg", { type: blob.type });
}

function wall(context) {
  context.fillStyle = gradient(context.createLinearGradient(0, 0, WIDTH, 520), "#c9d6d3", "#8fa6a4");
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = gradient(context.createLinearGradient(0, 510, 0, HEIGHT), "#a9794e", "#7c512f");
  context.fillRect(0, 510, WIDTH, HEIGHT - 510);
  context.strokeStyle = "rgb(60 34 14 / 0.18)";
  for (let y = 545, gap = 22; y < HEIGHT; y += gap, gap *= 1.22) {
    context.lineWidth = gap / 14;
    line(context, 0, y, WIDTH, y + 6);
  }
}

function pear(context, x, y) {
  shadow(context, x, y + 196, 120, 24);
  context.fillStyle = round(context, x - 34, y + 40, 190, "#eef0a0", "#b9bd3f", "#6f7a1d");
  context.beginPath();
  context.moveTo(x, y - 130);
  context.bezierCurveTo(x + 78, y - 130, x + 44, y - 10, x + 96, y + 50);
  context.bezierCurveTo(x + 150, y + 130, x + 84, y + 205, x, y + 202);
  context.bezierCurveTo(x - 84, y + 205, x - 150, y + 130, x - 96, y + 50);
  context.bezierCurveTo(x - 44, y - 10, x - 78, y - 130, x, y - 130);
  context.fill();
  context.strokeStyle = "#54401f";
  context.lineWidth = 11;
  context.lineCap = "round";
  line(context, x + 2, y - 126, x + 26, y - 186);
}

function orange(context, x, y, radius) {
  shadow(context, x, y + radius * 0.94, radius * 1.1, radius * 0.24);
  context.fillStyle = round(context, x - radius * 0.35, y - radius * 0.4, radius * 1.5, "#ffd08a", "#f08a24", "#a84a0c");
  ellipse(context, x, y, radius, radius);
  context.fillStyle = "#6a4a1a";
  ellipse(context, x + radius * 0.12, y - radius * 0.72, radius * 0.08, radius * 0.05);
}

function cup(context, x, y) {
  shadow(context, x + 10, y + 176, 150, 26);
  context.strokeStyle = "#a83a3f";
  context.lineWidth = 26;
  context.beginPath();
  context.ellipse(x + 112, y + 46, 52, 62, 0, -1.9, 1.9);
  context.stroke();
  context.fillStyle = gradient(context.createLinearGradient(x - 115, 0, x + 115, 0), "#e0706a", "#98292f");
  context.beginPath();
  context.moveTo(x - 115, y - 80);
  context.bezierCurveTo(x - 112, y + 110, x - 92, y + 178, x, y + 180);
  context.bezierCurveTo(x + 92, y + 178, x + 112, y + 110, x + 115, y - 80);
  context.fill();
  context.fillStyle = "#f3e3dc";
  ellipse(context, x, y - 80, 115, 32);
  context.fillStyle = gradient(context.createLinearGradient(x - 100, 0, x + 100, 0), "#3b2212", "#6b4325");
  ellipse(context, x, y - 76, 101, 25);
}

function leaf(context, x, y) {
  context.fillStyle = gradient(context.createLinearGradient(x - 110, y, x + 110, y), "#3f7d3c", "#86b556");
  context.beginPath();
  context.moveTo(x - 120, y + 34);
  context.bezierCurveTo(x - 60, y - 70, x + 60, y - 60, x + 124, y - 18);
  context.bezierCurveTo(x + 60, y + 66, x - 50, y + 74, x - 120, y + 34);
  context.fill();
  context.strokeStyle = "#d3e6a8";
  context.lineWidth = 4;
  line(context, x - 110, y + 32, x + 96, y - 10);
}

function shadow(context, x, y, across, down) {
  const dark = context.createRadialGradient(0, 0, 0, 0, 0, 1);
  context.save();
  context.translate(x, y);
  context.scale(across * 1.25, down * 1.25);
  context.fillStyle = gradient(dark, "rgb(30 14 4 / 0.6)", "rgb(30 14 4 / 0)");
  ellipse(context, 0, 0, 1, 1);
  context.restore();
}

function round(context, x, y, radius, ...colours) {
  return gradient(context.createRadialGradient(x, y, radius * 0.05, x, y, radius), ...colours);
}

function gradient(made, ...colours) {
  colours.forEach((colour, index) => made.addColorStop(index / (colours.length - 1), colour));
  return made;
}

function ellipse(context, x, y, across, down) {
  context.beginPath();
  context.ellipse(x, y, across, down, 0, 0, 2 * Math.PI);
  context.fill();
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
