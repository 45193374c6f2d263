/** The part of a picture that is brushed: cells of a grid laid over it, as the server reads them. */

export interface Region {
  rows: number;
  cols: number;
  /** 1 where it acts, in reading order. */
  on: Uint8Array;
}

/** Cells along a side: fine enough for an eye of a cat, coarse enough for an address. */
export const SIDE = 32;

export const empty = (rows = SIDE, cols = SIDE): Region => ({ rows, cols, on: new Uint8Array(rows * cols) });

export const anything = ({ on }: Region): boolean => on.some((cell) => cell > 0);

export const share = ({ on }: Region): number => on.reduce((sum, cell) => sum + cell, 0) / on.length;

/** The cells within a radius (in cells) of a place (shares of the picture, 0 to 1), set or cleared. */
export function dabbed(region: Region, x: number, y: number, radius: number, value: 0 | 1): Region {
  const on = region.on.slice();
  for (let row = 0; row < region.rows; row++) {
    for (let col = 0; col < region.cols; col++) {
      const [across, down] = [col + 0.5 - x * region.cols, row + 0.5 - y * region.rows];
      if (across * across + down * down <= radius * radius) on[row * region.cols + col] = value;
    }
  }
  return { ...region, on };
}

/** A stroke between two places: dabs no further apart than half a cell. */
export function stroke(region: Region, from: { x: number; y: number }, to: { x: number; y: number }, radius: number, value: 0 | 1): Region {
  const length = Math.hypot((to.x - from.x) * region.cols, (to.y - from.y) * region.rows);
  const count = Math.max(1, Math.ceil(2 * length));
  let made = region;
  for (let step = 0; step <= count; step++) {
    const at = step / count;
    made = dabbed(made, from.x + at * (to.x - from.x), from.y + at * (to.y - from.y), radius, value);
  }
  return made;
}

export const inverted = (region: Region): Region => ({ ...region, on: region.on.map((cell) => 1 - cell) });

/** Outline of what is brushed as an SVG path, one unit to a cell: a line between every cell that is and one that is not. */
export function outlined({ rows, cols, on }: Region): string {
  const at = (row: number, col: number): number => (row < 0 || col < 0 || row >= rows || col >= cols ? 0 : (on[row * cols + col] ?? 0));
  let path = '';
  for (let row = 0; row <= rows; row++) {
    for (let col = 0; col <= cols; col++) {
      if (at(row, col) !== at(row - 1, col)) path += `M${col} ${row}h1`;
      if (at(row, col) !== at(row, col - 1)) path += `M${col} ${row}v1`;
    }
  }
  return path;
}

/** Four cells to a hexadecimal digit, the first one the highest bit. */
export function bits({ on }: Region): string {
  let text = '';
  for (let at = 0; at < on.length; at += 4) {
    const digit = [0, 1, 2, 3].reduce((sum, k) => sum + ((on[at + k] ?? 0) << (3 - k)), 0);
    text += digit.toString(16);
  }
  return text;
}

/** Cells of a text; what is missing is not brushed. */
export function region(text: string, rows = SIDE, cols = SIDE): Region {
  const on = Uint8Array.from({ length: rows * cols }, (_, cell) => {
    const digit = Number.parseInt(text[cell >> 2] ?? '0', 16);
    return Number.isNaN(digit) ? 0 : (digit >> (3 - (cell & 3))) & 1;
  });
  return { rows, cols, on };
}
