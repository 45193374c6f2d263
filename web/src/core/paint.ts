/** Maps to canvases, one pixel per cell: the page's style sheet scales them, so zooming costs nothing. */
import type { LabelGrid, RgbGrid } from "./types";

export interface PaintOptions {
  /** 256 sRGB triplets. */
  map: Uint8Array;
  /** Values of the table's ends. */
  low: number;
  high: number;
  /** Cells on the wrong side of this value are not painted. */
  threshold?: number | undefined;
  /** Keep what lies below the threshold instead of above it (distances). */
  below?: boolean | undefined;
  /** 1 leaves a cell unpainted. */
  mask?: Uint8Array | undefined;
}

/** Anything with cells and a value for each. */
export interface Paintable {
  rows: number;
  cols: number;
  values: Float32Array;
}

/** What can be drawn on: a canvas of the page, or one that is not on it. */
export type Canvas = HTMLCanvasElement | OffscreenCanvas;

/** The map in colours. Cells without a value are transparent. */
export function paint(canvas: Canvas, grid: Paintable, options: PaintOptions): void {
  put(canvas, grid.rows, grid.cols, (pixels) => colourCells(pixels, grid.values, options));
}

/** Cells as they are coloured already; padding is transparent. */
export function paintRgb(canvas: Canvas, grid: RgbGrid): void {
  put(canvas, grid.rows, grid.cols, (pixels) => {
    for (let i = 0; i < pixels.length; i++)
      pixels[i] = grid.valid[i] ? packed(grid.rgb[3 * i]!, grid.rgb[3 * i + 1]!, grid.rgb[3 * i + 2]!) : 0;
  });
}

/** One colour per cluster; padding is transparent. */
export function paintLabels(canvas: Canvas, grid: LabelGrid, colours: Uint8Array = LABELS): void {
  const count = colours.length / 3;
  put(canvas, grid.rows, grid.cols, (pixels) => {
    grid.labels.forEach((label, i) => {
      const at = 3 * (label % count);
      pixels[i] = label < 0 ? 0 : packed(colours[at]!, colours[at + 1]!, colours[at + 2]!);
    });
  });
}

/** How strength is laid over a picture: a colour that covers, or light that leaves the picture's own colours. */
export type Overlay = "light" | "heat";

/**
 * How strong something is, over a picture. `heat`: what is 0 is clear, `high` covers most; below zero in blue, above in
 * red. `light`: what is 0 is dimmed, `high` is not; below zero as with heat. NaN is clear.
 */
export function paintHeat(canvas: Canvas, grid: Paintable, high: number, overlay: Overlay = "heat"): void {
  put(canvas, grid.rows, grid.cols, (pixels) => {
    grid.values.forEach((value, i) => {
      const share = Math.min(1, Math.sqrt(Math.abs(value) / (high || 1)));
      if (Number.isNaN(value)) pixels[i] = 0;
      else if (overlay === "light" && value >= 0) pixels[i] = (Math.round(150 * (1 - share)) << 24) >>> 0;
      else pixels[i] = value > 0 ? tinted(share, 255, 40, 20) : tinted(share, 20, 80, 255);
    });
  });
}

const tinted = (share: number, red: number, green: number, blue: number): number =>
  share > 0 ? ((Math.round(215 * share) << 24) | (blue << 16) | (green << 8) | red) >>> 0 : 0;

/** Colours of values, one 32-bit pixel each; what `paint` writes. */
export function colourCells(pixels: Uint32Array, values: Float32Array, options: PaintOptions): void {
  const { low, high, threshold, below = false, mask } = options;
  const table = pixelsOf(options.map);
  const scale = high > low ? 256 / (high - low) : 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const hidden = value !== value || mask?.[i] || (threshold !== undefined && (below ? value > threshold : value < threshold));
    const index = scale ? Math.min(255, Math.max(0, Math.floor((value - low) * scale))) : 128;
    pixels[i] = hidden ? 0 : table[index]!;
  }
}

/** Twelve colours that stay apart for people who see fewer colours (Okabe and Ito's eight, and four more lightnesses). */
export const LABELS = Uint8Array.of(
  ...[0, 114, 178, 230, 159, 0, 0, 158, 115, 204, 121, 167, 86, 180, 233, 213, 94, 0, 240, 228, 66, 60, 60, 60],
  ...[190, 190, 190, 90, 40, 120, 140, 90, 40, 20, 80, 60],
);

const tables = new WeakMap<Uint8Array, Uint32Array>();

function pixelsOf(map: Uint8Array): Uint32Array {
  let table = tables.get(map);
  if (!table) {
    table = Uint32Array.from({ length: 256 }, (_, i) => packed(map[3 * i]!, map[3 * i + 1]!, map[3 * i + 2]!));
    tables.set(map, table);
  }
  return table;
}

/** RGBA in memory order on little-endian machines, which all that run browsers are. */
function packed(red: number, green: number, blue: number): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

const drawings = new WeakMap<Canvas, ImageData>();

function put(canvas: Canvas, rows: number, cols: number, draw: (pixels: Uint32Array) => void): void {
  if (canvas.width !== cols || canvas.height !== rows) [canvas.width, canvas.height] = [cols, rows];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;
  if (!context) throw new Error("this browser gives no canvas to draw on");
  let image = drawings.get(canvas);
  if (!image || image.width !== cols || image.height !== rows) drawings.set(canvas, (image = new ImageData(cols, rows)));
  draw(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
}
