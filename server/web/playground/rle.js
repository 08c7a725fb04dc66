// Label Studio's brush RLE (thi.ng/rle-pack over RGBA pixels), both ways; server/core/rle.py describes the format.

const RUN_WIDTHS = [3, 4, 8, 16]; // what Label Studio's own encoder writes
const LONGEST_RUN = 1 << 16; // words in one token

/** The RGBA bytes of a mask of width x height px; throws when `rle` holds another number of them. */
export function decodeRle(rle, width, height) {
  const bits = bitReader(rle);
  const count = bits(16) * 65536 + bits(16);
  if (count !== 4 * width * height) {
    throw new Error(`the RLE holds ${count} bytes; ${width} x ${height} px are ${4 * width * height}`);
  }
  const wordSize = bits(5) + 1;
  const widths = [0, 1, 2, 3].map(() => bits(4) + 1);
  const pixels = new Uint8ClampedArray(count);
  for (let at = 0; at < count; ) {
    const isRun = bits(1) === 1;
    const end = at + bits(widths[bits(2)]) + 1;
    if (end > count) throw new Error("the RLE runs past the end of the picture");
    if (isRun) pixels.fill(bits(wordSize), at, end);
    else for (let word = at; word < end; word += 1) pixels[word] = bits(wordSize);
    at = end;
  }
  return pixels;
}

/** The RLE of runs of [pixels, painted], as the list of bytes that `value.rle` holds. */
export function encodeRle(runs) {
  const words = 4 * runs.reduce((sum, [pixels]) => sum + pixels, 0);
  const { write, bytes } = bitWriter();
  write(Math.floor(words / 65536), 16);
  write(words % 65536, 16);
  write(7, 5); // words of 8 bits
  for (const width of RUN_WIDTHS) write(width - 1, 4);
  for (const [pixels, painted] of runs) {
    for (let left = 4 * pixels; left > 0; left -= LONGEST_RUN) {
      const run = Math.min(left, LONGEST_RUN);
      const index = RUN_WIDTHS.findIndex((width) => run <= 2 ** width);
      write(4 | index, 3);
      write(run - 1, RUN_WIDTHS[index]);
      write(painted ? 255 : 0, 8);
    }
  }
  return bytes();
}

function bitReader(bytes) {
  let position = 0; // in bits
  return (count) => {
    const first = position >> 3;
    if (position + count > 8 * bytes.length) throw new Error("the RLE is cut short");
    const window = (bytes[first] << 16) | ((bytes[first + 1] ?? 0) << 8) | (bytes[first + 2] ?? 0);
    const value = (window >> (24 - (position & 7) - count)) & ((1 << count) - 1);
    position += count;
    return value; // at most 16 bits, which never span more than three bytes
  };
}

function bitWriter() {
  const done = [];
  let pending = 0;
  let held = 0; // bits in `pending`
  const write = (value, count) => {
    pending = (pending << count) | value;
    held += count;
    while (held >= 8) {
      held -= 8;
      done.push((pending >> held) & 255);
    }
    pending &= (1 << held) - 1;
  };
  return { write, bytes: () => (held ? [...done, (pending << (8 - held)) & 255] : done) };
}
