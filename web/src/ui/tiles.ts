/** The tiles on the screen: one per picture and per map; canvases and marks that are drawn without the framework. */
import { cellRect, gridRect, type ImageEntry, type LayerEntry, type PixelRef } from '../core';
import { cellOf, type CursorState } from './cursor';

const SVG = 'http://www.w3.org/2000/svg';

export interface Tile {
  /** Of the picture that it shows. */
  readonly image: ImageEntry;
  /** Of the map on it; the bare picture has none. */
  readonly layer: LayerEntry | undefined;
  /** The element that pointers meet: exactly the picture's rectangle. */
  readonly face: HTMLElement;
  readonly canvas: HTMLCanvasElement | undefined;
  readonly marks: SVGSVGElement;
  readonly caption: HTMLElement | undefined;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** All tiles by layer and image; several may show the same pair. */
export class Tiles {
  private all = new Set<Tile>();
  private watchers = new Set<() => void>();
  private told = false;

  add(tile: Tile): () => void {
    this.all.add(tile);
    this.tell();
    return () => this.all.delete(tile);
  }

  /** Calls back, once for many, after tiles have come that nobody has painted yet; the answer stops that. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  private tell(): void {
    if (this.told) return;
    this.told = true;
    queueMicrotask(() => {
      this.told = false;
      for (const watcher of this.watchers) watcher();
    });
  }

  [Symbol.iterator](): IterableIterator<Tile> {
    return this.all.values();
  }

  /** Tiles of one map. */
  *of(layer: string, image: string): Generator<Tile> {
    for (const tile of this.all) if (tile.layer?.id === layer && tile.image.id === image) yield tile;
  }

  /** The tile whose picture an event has met. */
  at(target: EventTarget | null): Tile | undefined {
    const face = target instanceof Element ? target.closest('[data-face]') : null;
    for (const tile of this.all) if (tile.face === face) return tile;
    return undefined;
  }
}

/** Image pixel under a place in the window. */
export function pointAt(tile: Tile, clientX: number, clientY: number): PixelRef {
  const box = tile.face.getBoundingClientRect();
  const x = clamp((clientX - box.left) / box.width) * tile.image.width;
  const y = clamp((clientY - box.top) / box.height) * tile.image.height;
  return { image: tile.image.id, x, y };
}

const clamp = (value: number): number => Math.min(Math.max(value, 0), 0.99999);

/** Rectangle of the cell of a layer under a point, in image pixels. */
export function rectAt(layer: LayerEntry, point: PixelRef): Rect | undefined {
  const pack = layer.packs[point.image];
  const cell = cellOf(layer, point);
  if (!pack || !cell) return undefined;
  return cellRect(pack.frame, pack.rows, pack.cols, layer.stride, cell.row, cell.col);
}

/** How a grid of cells lies on its picture: CSS percentages and mirroring. */
export function laid(frame: number[], rows: number, cols: number, stride: number, picture: Pick<ImageEntry, 'width' | 'height'>): string {
  const rect = gridRect(frame, rows, cols, stride);
  const share = (value: number, size: number): string => `${((100 * value) / size).toFixed(4)}%`;
  return [
    `left:${share(rect.x, picture.width)}`,
    `top:${share(rect.y, picture.height)}`,
    `width:${share(rect.width, picture.width)}`,
    `height:${share(rect.height, picture.height)}`,
    `transform:scale(${rect.mirrorX ? -1 : 1},${rect.mirrorY ? -1 : 1})`,
  ].join(';');
}

/** How a map's canvas lies on its picture. */
export function placement(layer: LayerEntry, image: ImageEntry): string {
  const pack = layer.packs[image.id];
  return pack ? laid(pack.frame, pack.rows, pack.cols, layer.stride, image) : 'display:none';
}

/** An SVG element with attributes; lines keep their width at any zoom. */
export function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(SVG, name);
  made.setAttribute('vector-effect', 'non-scaling-stroke');
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** A cell's outline: dark below light, so that it shows on any colour. */
export function outline(rect: Rect, kind: string): SVGElement[] {
  const { x, y, width, height } = rect;
  return ['under', 'over'].map((layer) => shape('rect', { x, y, width, height, class: `${kind} ${layer}` }));
}

/** A ring around a cell's middle, at least a few screen pixels wide. */
export function ring(rect: Rect, image: ImageEntry, kind: string): SVGElement[] {
  const radius = Math.max(rect.width * 0.62, image.width * 0.022);
  const circle = { cx: rect.x + rect.width / 2, cy: rect.y + rect.height / 2, r: radius };
  return ['under', 'over'].map((layer) => shape('circle', { ...circle, class: `${kind} ${layer}` }));
}

/** An arrow between the middles of two cells. */
export function arrow(from: Rect, to: Rect, kind: string): SVGElement[] {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height / 2];
  const [x2, y2] = [to.x + to.width / 2, to.y + to.height / 2];
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length === 0) return [];
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  const head = Math.min(length * 0.4, from.width * 0.9);
  const wing = (side: number): string =>
    `${x2 - head * (ux + side * 0.5 * uy)},${y2 - head * (uy - side * 0.5 * ux)}`;
  const points = `M${x1},${y1}L${x2},${y2}M${wing(1)}L${x2},${y2}L${wing(-1)}`;
  return ['under', 'over'].map((layer) => shape('path', { d: points, class: `${kind} ${layer}` }));
}

/** The marks that every view shares: the cell that is asked about, and the one that is read. */
export function cursorMarks(tile: Tile, cursor: CursorState, fallback: LayerEntry | undefined): SVGElement[] {
  const layer = tile.layer ?? fallback;
  if (!layer) return [];
  const made: SVGElement[] = [];
  if (cursor.point?.image === tile.image.id) {
    const rect = rectAt(layer, cursor.point);
    if (rect) made.push(...outline(rect, cursor.pinned ? 'query pinned' : 'query'));
  }
  if (cursor.reading?.image === tile.image.id) {
    const rect = rectAt(layer, cursor.reading);
    if (rect) made.push(...outline(rect, 'reading'));
  }
  return made;
}
