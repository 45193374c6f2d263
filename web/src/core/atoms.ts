/** The atoms of a dictionary, as the bundle's panel files hold them (docs/explorer.md): numbers, codes, places. */
import { floats, halves, integers, octets, readTensors, type TensorFile } from "./safetensors";
import { BundleError, type Source } from "./types";

export interface GalleryImage {
  id: string;
  title: string;
  file: string;
  width: number;
  height: number;
  rows: number;
  cols: number;
  stride: number;
  frame: number[];
  codes: string;
  invalid?: number[];
}

export interface AtomsColumn {
  key: string;
  title: string;
  says: string;
}

export interface AtomsScore {
  name: string;
  value?: number;
  low?: number;
  high?: number;
  n?: number;
  unit?: string;
  over?: string;
  report: string;
}

export interface Births {
  images: (string | null)[];
  cells: (number | null)[];
  timesteps: (number | null)[];
  sheets: string[];
  tile: number;
  columns: number;
  each: number;
}

export interface AtomsFile {
  name: string;
  kind: string;
  digest: string;
  model: string;
  site: string;
  level: string;
  recipe: string;
  count: number;
  channels: number;
  signed: boolean;
  kept: number;
  images: GalleryImage[];
  /** The first so many images, over which everything is counted; the others were added later. */
  counted: number;
  /** Images that the store holds there. */
  of: number;
  /** Of the counted images, without padding. */
  cells: number;
  /** Mean squared distance of a cell from the mean; 0 where what is left means nothing. */
  power: number;
  numbers: string;
  directions: string;
  columns: AtomsColumn[];
  texts: Record<string, string[]>;
  levels: { level: string; learned: boolean }[];
  scores: AtomsScore[];
  notes: string[];
  layer?: string;
  births?: Births;
}

export interface Coded {
  atom: number;
  code: number;
}

/** Another atom, and how near it is. */
export interface Neighbour {
  atom: number;
  value: number;
}

/** One of an atom's strongest images. */
export interface Strongest {
  image: GalleryImage;
  cell: number;
  code: number;
}

const TOP = 16;
const NEAR = 8;
export const BINS = 8;

/** Bytes of codes that are held. */
const BUDGET = 128e6;

/** The codes of one image: a sparse matrix by cell, the strongest code of each first. */
export class Codes {
  constructor(
    readonly starts: Int32Array,
    readonly atoms: Int32Array | Uint16Array,
    readonly values: Float32Array,
    readonly left: Float32Array,
  ) {}

  /** One atom at every cell; 0 where it is not active. */
  map(atom: number): Float32Array {
    const found = new Float32Array(this.starts.length - 1);
    for (let cell = 0; cell < found.length; cell++)
      for (let i = this.starts[cell]!; i < this.starts[cell + 1]!; i++) if (this.atoms[i] === atom) found[cell] = this.values[i]!;
    return found;
  }

  /** The codes of a cell, the largest by size first. */
  at(cell: number): Coded[] {
    const found: Coded[] = [];
    for (let i = this.starts[cell] ?? 0; i < (this.starts[cell + 1] ?? 0); i++) found.push({ atom: this.atoms[i]!, code: this.values[i]! });
    return found;
  }

  get bytes(): number {
    return this.starts.byteLength + this.atoms.byteLength + this.values.byteLength + this.left.byteLength;
  }
}

/** @throws BundleError when the file is not the codes of so many cells and atoms. */
export function readCodes(buffer: ArrayBuffer, cells: number, count: number, name = "codes"): Codes {
  const file = readTensors(buffer, name);
  const starts = integers(file, "starts", [cells + 1], name);
  const length = starts[cells] ?? 0;
  const atoms = integers(file, "atoms", [length], name);
  const codes = new Codes(Int32Array.from(starts), atoms, halves(file, "values", [length], name), floats(file, "left", [cells], name));
  if (starts[0] !== 0) throw new BundleError(`${name}: its first cell starts at code ${starts[0]}`);
  for (let cell = 0; cell < cells; cell++) if (starts[cell + 1]! < starts[cell]!) throw new BundleError(`${name}: cell ${cell} ends before it starts`);
  for (const atom of atoms) if (atom < 0 || atom >= count) throw new BundleError(`${name}: there is no atom ${atom} among ${count}`);
  return codes;
}

/** One dictionary: what is known of its atoms, and the codes of images as they are asked for. */
export class Atoms {
  private readonly held = new Map<string, Promise<Codes>>();
  private readonly weights = new Map<string, number>();
  private readonly places: Map<string, GalleryImage>;
  private readonly early: Set<GalleryImage>;
  private readonly known = new Map<string, Float32Array | Int32Array | Uint16Array | Uint8Array>();

  constructor(
    readonly file: AtomsFile,
    private readonly numbers: TensorFile,
    private readonly source: Source,
  ) {
    this.early = new Set(file.images.slice(0, file.counted));
    this.places = new Map(file.images.map((image) => [image.id, image]));
  }

  /** An image of the gallery; nothing where it is not one. */
  image(id: string): GalleryImage | undefined {
    return this.places.get(id);
  }

  /** Whether an image is one of those over which everything is counted. */
  counts(image: GalleryImage): boolean {
    return this.early.has(image);
  }

  /** A number per atom; NaN where nothing is known. */
  column(key: string): Float32Array {
    return this.tensor(key, floats, []);
  }

  /** A tensor of the numbers' file, of so many numbers per atom, read once. */
  private tensor<T extends Float32Array | Int32Array | Uint16Array | Uint8Array>(
    key: string,
    read: (file: TensorFile, key: string, shape: number[], name: string) => T,
    each: number[],
    before: number[] = [],
  ): T {
    const found = (this.known.get(key) as T | undefined) ?? read(this.numbers, key, [...before, this.file.count, ...each], "numbers of atoms");
    this.known.set(key, found);
    return found;
  }

  /** The codes of an image of the gallery; the images that were asked for last are held. */
  codes(image: GalleryImage): Promise<Codes> {
    const known = this.held.get(image.id);
    if (known) {
      this.held.delete(image.id);
      this.held.set(image.id, known);
      return known;
    }
    const asked = this.source.get(image.codes).then((data) => {
      const codes = readCodes(data, image.rows * image.cols, this.file.count, `codes of ${image.title}`);
      this.weights.set(image.id, codes.bytes);
      this.trim();
      return codes;
    });
    asked.catch(() => this.held.delete(image.id));
    this.held.set(image.id, asked);
    return asked;
  }

  private trim(): void {
    let total = [...this.weights.values()].reduce((sum, bytes) => sum + bytes, 0);
    for (const [id, bytes] of this.weights) {
      if (total <= BUDGET || this.weights.size === 1) return;
      this.weights.delete(id);
      this.held.delete(id);
      total -= bytes;
    }
  }

  /** Images in which an atom is strongest, the strongest first. */
  strongest(atom: number): Strongest[] {
    const [images, cells] = ["top.image", "top.cell"].map((key) => this.tensor(key, integers, [TOP])) as [Int32Array, Int32Array];
    const codes = this.tensor("top.code", floats, [TOP]);
    return Array.from({ length: TOP }, (_, k) => TOP * atom + k).flatMap((k) => {
      const image = this.file.images[images[k]!];
      return image ? [{ image, cell: cells[k]!, code: codes[k]! }] : [];
    });
  }

  /** Mean code by place on the picture, in units of the largest, rows of `BINS`. */
  position(atom: number): Float32Array {
    const all = this.tensor("position", octets, [BINS, BINS]);
    return Float32Array.from(all.subarray(atom * BINS * BINS, (atom + 1) * BINS * BINS), (value) => value / 255);
  }

  /** Share of active cells at each noise level, with its standard error over images. */
  levels(atom: number): { level: string; learned: boolean; share: number; error: number }[] {
    const before = [this.file.levels.length];
    const [share, error] = ["levels", "levels.error"].map((key) => this.tensor(key, floats, [], before));
    return this.file.levels.map((level, k) => ({ ...level, share: share![k * this.file.count + atom]!, error: error![k * this.file.count + atom]! }));
  }

  /** `near`: by direction, the cosine; `beside`: by going together, the correlation of being active. */
  neighbours(atom: number, kind: "near" | "beside"): Neighbour[] {
    const where = this.tensor(kind, integers, [NEAR]);
    const value = this.tensor(kind === "near" ? "near.cosine" : "beside.phi", floats, [NEAR]);
    return Array.from({ length: NEAR }, (_, k) => NEAR * atom + k).flatMap((k) => (where[k]! >= 0 ? [{ atom: where[k]!, value: value[k]! }] : []));
  }
}

const opened = new WeakMap<Source, Map<string, Promise<Atoms>>>();

/** The dictionary of a panel's file; read once per source. @throws BundleError when it is not as it must be. */
export function openAtoms(source: Source, path: string): Promise<Atoms> {
  const files = opened.get(source) ?? new Map<string, Promise<Atoms>>();
  opened.set(source, files);
  let atoms = files.get(path);
  if (!atoms) {
    atoms = read(source, path);
    atoms.catch(() => files.delete(path));
    files.set(path, atoms);
  }
  return atoms;
}

async function read(source: Source, path: string): Promise<Atoms> {
  const file = checkAtoms(parsed(await source.get(path)));
  const atoms = new Atoms(file, readTensors(await source.get(file.numbers), "numbers of atoms"), source);
  for (const { key } of file.columns) atoms.column(key);
  if (file.count > 0) {
    atoms.strongest(0);
    atoms.position(0);
    atoms.levels(0);
    for (const kind of ["near", "beside"] as const) atoms.neighbours(0, kind);
  }
  return atoms;
}

function parsed(data: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch {
    throw new BundleError("the file of a dictionary is not JSON");
  }
}

/** @throws BundleError that says what is wrong, in one line. */
export function checkAtoms(data: unknown): AtomsFile {
  const file = data as AtomsFile;
  const bad = (why: string): never => {
    throw new BundleError(`the file of a dictionary cannot be read: ${why}; export the bundle again`);
  };
  if (typeof data !== "object" || data === null) bad("it is no object");
  if (!Number.isSafeInteger(file.count) || file.count < 1) bad("count is no number of atoms");
  if (!Number.isSafeInteger(file.counted)) bad("counted is no number of images");
  for (const key of ["name", "kind", "site", "level", "numbers", "directions"] as const) if (typeof file[key] !== "string") bad(`${key} is no text`);
  for (const key of ["images", "columns", "levels", "scores", "notes"] as const) if (!Array.isArray(file[key])) bad(`${key} is no list`);
  for (const image of file.images) {
    const sound = Number.isSafeInteger(image?.rows) && Number.isSafeInteger(image.cols) && image.rows > 0 && image.cols > 0;
    if (!sound || typeof image.codes !== "string" || !Array.isArray(image.frame) || image.frame.length !== 8) bad("an image has no proper grid");
  }
  for (const [name, column] of Object.entries(file.texts ?? bad("texts is missing"))) if (!Array.isArray(column) || column.length !== file.count) bad(`${name} is not a text per atom`);
  const { births } = file;
  if (births && (births.images.length !== file.count || births.cells.length !== file.count)) bad("births are not one per atom");
  return file;
}
