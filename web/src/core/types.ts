/**
 * The words that the explorer's engine and its page share.
 *
 * A *cell* is one position of a site's grid. Grids are row-major: cell `row * cols + col`. All pixel coordinates are
 * those of the image as it was read, (0, 0) at its top left corner.
 */

export type Measure = "cosine" | "centred" | "dot" | "l2" | "norm" | "l1" | "linf";
export type Position = "total" | "only" | "removed";
export type RangeMode = "shared" | "per-map" | "percentile";
export type Arrows = "none" | "argmax" | "mutual" | "cycle";
export type KernelName = "wasm" | "js" | "webgpu";

/** Where files come from: a server, a static folder, a notebook. Paths are relative to the bundle's folder. */
export interface Source {
  /** The whole file. Rejects with one clear line when it cannot be had. `fresh` asks past every cache. */
  get(path: string, options?: { fresh?: boolean }): Promise<ArrayBuffer>;
  /** The first `bytes` bytes, or more: lets a rotated layer show its first band early. Optional. */
  prefix?(path: string, bytes: number): Promise<ArrayBuffer>;
}

// ---------------------------------------------------------------------------------------------------------- manifest

export interface Manifest {
  format: "denoscope-bundle";
  version: 1;
  title: string;
  denoscope: string;
  digest: string;
  note: string;
  images: ImageEntry[];
  layers: LayerEntry[];
  findings: Finding[];
  reports: ReportEntry[];
  panels: PanelEntry[];
}

export interface ImageEntry {
  id: string;
  title: string;
  group: string;
  file: string;
  /** Size of the image as it was read, in pixels. */
  width: number;
  height: number;
  facts: Record<string, string | number | boolean>;
  points?: { name: string; x: number; y: number; visible: boolean }[];
  /** Grey PNG, near is bright: 255 log(far / d) / log(far / near). */
  depth?: string;
  /** near and far, in metres. */
  depth_range?: [number, number];
  segmentation?: { file: string; labels: Record<string, string> };
  boxes?: { label: string; x: number; y: number; width: number; height: number }[];
}

export interface LayerEntry {
  id: string;
  model: string;
  site: string;
  stream: string;
  /** The noise in a word: "50", "sigma 0.3", "clean". */
  level: string;
  condition: Record<string, unknown>;
  recipe: string;
  channels: number;
  /** Canvas pixels per cell. */
  stride: number;
  /** Of the model's work up to here, 0 to 1. */
  share: number;
  share_of?: "FLOPs" | "rank";
  /** Images whose cells the mean, and the positions, are means of. */
  over?: string[];
  /** File of the mean that was subtracted: float32 little-endian [channels]. */
  mean: string;
  mean_square: number;
  /**
   * File of the rotation B: float32 little-endian [width][channels], where width is the last of `bands`. Its columns are
   * orthonormal, so that products of B c are those of c; a width above `channels` loses less to rounding.
   */
  basis?: string;
  /** Channel of a pack at which each band ends; the last is `channels` where nothing was rotated. */
  bands: number[];
  explained?: number[];
  /** Measured p99.9 of |int8 - exact|: cosines as they are, the others as a share of the largest |exact value|. */
  error: Partial<Record<Measure, number>>;
  /** File of the pack of the mean over images at each position. */
  position?: string;
  packs: Record<string, PackEntry>;
}

export interface PackEntry {
  file: string;
  rows: number;
  cols: number;
  /** width, height, canvas width, canvas height, scale x, scale y, offset x, offset y: canvas = scale * pixel + offset. */
  frame: number[];
  bytes: number;
  /** Cells on padding. */
  invalid?: number[];
  /** Digest of the store's recipe, where it is not the layer's. */
  recipe?: string;
}

export interface Finding {
  id: string;
  title: string;
  why: string;
  state: string;
  python: string;
}

export interface ReportEntry {
  name: string;
  title: string;
  file: string;
  data: string;
}

export interface PanelEntry {
  kind: string;
  name: string;
  file: string;
  /** What that file names, in turn. */
  files?: string[];
}

/** An opened bundle: its checked manifest and where its files are. */
export interface Bundle {
  readonly manifest: Manifest;
  readonly source: Source;
  /** Throws a clear line when there is no such layer. */
  layer(id: string): LayerEntry;
  image(id: string): ImageEntry;
  /** In computing order, then by noise. */
  layersOf(model: string): LayerEntry[];
  /** Reads the manifest again, past every cache (after a job has added something). */
  refresh(): Promise<Bundle>;
}

// ------------------------------------------------------------------------------------------------- questions, answers

export interface CellRef {
  image: string;
  row: number;
  col: number;
}

/** A place in an image, in its pixels: the same for every grid. */
export interface PixelRef {
  image: string;
  x: number;
  y: number;
}

/** Per image, one byte per cell: 1 leaves the cell out of statistics, ranking and matching. */
export type CellMask = Record<string, Uint8Array>;

export interface MapAsk {
  /** Asks of one slot replace one another: a newer one makes a waiting older one reject with `Stale`. */
  slot: string;
  layer: string;
  query: CellRef;
  images: string[];
  measure: Measure;
  position?: Position;
  /** Radius in cells around the query, in its own image, whose cells are shown but neither ranked nor counted. */
  exclude?: number;
  /** Cells that are shown but neither ranked nor counted (flagged anomalies). */
  mask?: CellMask;
  /** How many best cells to list per image (`best`); 1 unless given. */
  topk?: number;
}

/** A value per cell. NaN where a cell lies on padding. Statistics are over the cells that count. */
export interface Grid {
  layer: string;
  image: string;
  rows: number;
  cols: number;
  values: Float32Array;
  min: number;
  max: number;
  mean: number;
  std: number;
}

export type RankedCell = CellRef & { value: number };

export interface MapAnswer extends Grid {
  /** The best cell: the largest value, for distances the smallest; ties go to the first cell. NaN where none counts. */
  argmax: RankedCell;
  /** The `topk` best cells, best first. */
  best: RankedCell[];
  /** Cells that count. */
  count: number;
  /** Bands of channels that went in, of how many. Less than all only in an early answer. */
  bands: [number, number];
  exact: false;
}

export interface RgbGrid {
  layer: string;
  image: string;
  rows: number;
  cols: number;
  /** 3 bytes per cell. */
  rgb: Uint8Array;
  /** 1 where the cell lies on the image, 0 on padding. */
  valid: Uint8Array;
  /** Share of variance of the three components, over all images together. */
  explained: number[];
}

export interface LabelGrid {
  layer: string;
  image: string;
  rows: number;
  cols: number;
  /** Cluster of each cell; -1 on padding. Clusters are numbered by size, largest first. */
  labels: Int32Array;
  k: number;
  /** Cells per cluster, over all images together. */
  sizes: number[];
}

/**
 * - norm: robust z of log |x| over all cells of the given images, |z| from median and MAD; default threshold 4.
 * - corner: cells in the grid's corners whose mean centred cosine to the corners of the other images is above the
 *   threshold (default 0.5).
 * - similar-to-everything: mean centred cosine to a sample of cells of all images, robust z; default threshold 4.
 */
export interface AnomalyRule {
  kind: "norm" | "corner" | "similar-to-everything";
  threshold?: number;
}

export interface AnomalyGrid extends Grid {
  /** 1 where the score passes the threshold. */
  flagged: Uint8Array;
  count: number;
  threshold: number;
}

export interface MatchAsk {
  layer: string;
  from: string;
  to: string;
  /** `to` shows the mirrored picture of `from`: every match is also scored against the mirrored cell. */
  flip?: boolean;
  exclude?: CellMask;
  /** cosine or centred (the default). */
  measure?: "cosine" | "centred";
}

export interface Match {
  from: CellRef;
  to: CellRef;
  score: number;
  /** The best match of `to` is `from` again. */
  mutual: boolean;
  /** Distance in cells between `from` and the best match of `to`. */
  cycle: number;
  /** With `flip`: distance in cells between `to` and the mirrored cell. */
  error?: number;
  /** With `flip`: share of the cells of `to`'s image that lie strictly closer to the mirrored cell than `to`. */
  percentile?: number;
}

export interface ProbeAsk {
  layer: string;
  positive: CellRef[];
  negative: CellRef[];
  images: string[];
}

export interface ProbeAnswer {
  /** Probability of "positive" per cell. */
  maps: Grid[];
  /** In the model's own channels: logit = direction . x + bias. */
  direction: Float32Array;
  bias: number;
  /** Share of painted cells called right when held out, each class counting the same. NaN with fewer than 2 + 2. */
  accuracy: number;
  /** How they were held out: "leave-one-out", "leave-image-out". */
  heldOut: string;
  /** Painted cells. */
  count: number;
}

/** The asked cell in the first layer's grid, and where it matters (a finer grid was pointed at) the very pixel. */
export interface QueryRef extends CellRef {
  x?: number;
  y?: number;
}

export interface View {
  model?: string;
  layers: string[];
  images: string[];
  query?: QueryRef;
  pinned: boolean;
  measure: Measure;
  position: Position;
  range: RangeMode;
  colours: string;
  threshold: number;
  opacity: number;
  smooth: boolean;
  exclude: number;
  topk: number;
  arrows: Arrows;
  /** How large pictures are drawn. */
  size: Size;
  panel: string;
  /** Choices of single views, `view.choice` to its text; what is not there is as the view has it by default. */
  choices: Record<string, string>;
  theme: "auto" | "light" | "dark";
}

export type Size = "s" | "m" | "l";

export interface Usage {
  bytes: number;
  budget: number;
  packs: number;
  /** What computes: "wasm simd", "js", "webgpu", with the number of workers. */
  kernel: string;
}

export interface Progress {
  layer: string;
  loaded: number;
  total: number;
  bytes: number;
}

export interface EngineOptions {
  /** Workers; by default the smaller of 4 and the machine's cores. 0 computes in the page. */
  workers?: number;
  /** Bytes of packs that may be held; 512 MB unless given. */
  budget?: number;
  kernel?: KernelName;
}

/** An ask that a newer one of the same slot has replaced. Nothing went wrong. */
export class Stale extends Error {
  override name = "Stale";
}

/** The bundle or an ask is not as it must be; the message is one line for people. */
export class BundleError extends Error {
  override name = "BundleError";
}
