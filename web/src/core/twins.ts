/** Two dictionaries of the same cells beside one another: what each leaves unexplained, and which atoms they share. */
import type { Atoms, AtomsFile, Codes, GalleryImage } from "./atoms";
import { gaussian, seeded } from "./random";
import { halves, readTensors } from "./safetensors";
import type { Source } from "./types";

/** Rows of unit length, one after another. */
export interface Directions {
  values: Float32Array;
  count: number;
  channels: number;
}

/** The nearest row of another set, for each row: which, and the cosine with it. */
export interface Nearest {
  where: Int32Array;
  cosine: Float32Array;
}

/** An atom of each, nearest to one another. */
export interface Pair {
  first: number;
  second: number;
  cosine: number;
}

/** A share of variance with its 95 % interval over images. */
export interface Share {
  value: number;
  low: number;
  high: number;
  n: number;
}

/** Multiplications that are done in a browser at most: some seconds. */
const MOST = 6e9;
/** Multiplications between two breaths of the page. */
const BREATH = 4e7;
const DRAWS = 1000;

/** Why two dictionaries cannot be laid over one another, or nothing. */
export function unlike(first: AtomsFile, second: AtomsFile): string | undefined {
  for (const [key, name] of [["model", "models"], ["site", "sites"], ["level", "noise levels"], ["recipe", "readings"]] as const)
    if (first[key] !== second[key]) return `they are of different ${name}: ${first[key]} and ${second[key]}`;
  if (first.channels !== second.channels) return `their cells have ${first.channels} and ${second.channels} channels`;
  return undefined;
}

/** The atoms of a dictionary, brought to length one; zeros stay zeros. */
export async function directionsOf(source: Source, { file }: Atoms): Promise<Directions> {
  const read = readTensors(await source.get(file.directions), "directions of atoms");
  return unit({ values: halves(read, "atoms", [file.count, file.channels], "directions of atoms"), count: file.count, channels: file.channels });
}

export function unit({ values, count, channels }: Directions): Directions {
  const made = new Float32Array(values.length);
  for (let row = 0; row < count; row++) {
    const at = row * channels;
    let square = 0;
    for (let k = 0; k < channels; k++) square += values[at + k]! ** 2;
    const length = Math.sqrt(square);
    if (length > 0) for (let k = 0; k < channels; k++) made[at + k] = values[at + k]! / length;
  }
  return { values: made, count, channels };
}

/** As many directions by chance, evenly on the sphere: what nearness is held against. */
export function byChance({ count, channels }: Directions, seed = 0): Directions {
  const random = seeded(seed);
  return unit({ values: Float32Array.from({ length: count * channels }, () => gaussian(random)), count, channels });
}

/**
 * The nearest of `second` for every row of `first`, and the other way round; with `signs` a cosine counts by its size.
 * Lets the page breathe in between; nothing where they are too many for a browser.
 */
export async function nearest(first: Directions, second: Directions, signs: boolean): Promise<[Nearest, Nearest] | undefined> {
  const { channels } = first;
  if (first.count * second.count * channels > MOST) return undefined;
  const made = (count: number): Nearest => ({ where: new Int32Array(count).fill(-1), cosine: new Float32Array(count).fill(-2) });
  const [one, two] = [made(first.count), made(second.count)];
  const step = Math.max(1, Math.floor(BREATH / (second.count * channels)));
  for (let row = 0; row < first.count; row++) {
    if (row % step === 0 && row > 0) await new Promise((breathed) => setTimeout(breathed));
    for (let other = 0; other < second.count; other++) {
      let cosine = 0;
      for (let k = 0; k < channels; k++) cosine += first.values[row * channels + k]! * second.values[other * channels + k]!;
      if (signs) cosine = Math.abs(cosine);
      if (cosine > one.cosine[row]!) [one.cosine[row], one.where[row]] = [cosine, other];
      if (cosine > two.cosine[other]!) [two.cosine[other], two.where[other]] = [cosine, row];
    }
  }
  return [one, two];
}

/** Atoms that are each the other's nearest, the most alike first. */
export function pairs([one, two]: [Nearest, Nearest]): Pair[] {
  const found = [...one.where].flatMap((second, first) => (second >= 0 && two.where[second] === first ? [{ first, second, cosine: one.cosine[first]! }] : []));
  return found.sort((a, b) => b.cosine - a.cosine);
}

export const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** What is left of every cell, in units of the mean squared distance from the mean; NaN on padding. */
export function leftOf(codes: Codes, { invalid = [] }: GalleryImage, power: number): Float32Array {
  const found = codes.left.map((value) => value / power);
  for (const cell of invalid) found[cell] = NaN;
  return found;
}

/** Sums of one image: of what is left, of cells, of codes. */
export interface Sums {
  left: number;
  cells: number;
  codes: number;
}

export function sums(codes: Codes, { invalid = [] }: GalleryImage): Sums {
  const padding = new Set(invalid);
  let [left, cells, count] = [0, 0, 0];
  codes.left.forEach((value, cell) => {
    if (padding.has(cell)) return;
    [left, cells, count] = [left + value, cells + 1, count + (codes.starts[cell + 1] ?? 0) - (codes.starts[cell] ?? 0)];
  });
  return { left, cells, codes: count };
}

/** Fraction of variance unexplained over images, and that of the second less the first: a bootstrap, paired. */
export function compared(first: Sums[], second: Sums[], powers: [number, number], seed = 0): { first: Share; second: Share; gap: Share } {
  const over = (rows: Sums[], which: number[], power: number): number => {
    let [left, cells] = [0, 0];
    for (const at of which) [left, cells] = [left + rows[at]!.left, cells + rows[at]!.cells];
    return left / (cells * power);
  };
  const random = seeded(seed);
  const all = first.map((_, at) => at);
  const drawn = Array.from({ length: DRAWS }, () => {
    const which = all.map(() => Math.floor(random() * all.length));
    return [over(first, which, powers[0]), over(second, which, powers[1])] as const;
  });
  const whole = [over(first, all, powers[0]), over(second, all, powers[1])] as const;
  const share = (value: number, found: number[]): Share => ({ value, ...ends(found), n: all.length });
  return {
    first: share(whole[0], drawn.map(([one]) => one)),
    second: share(whole[1], drawn.map(([, two]) => two)),
    gap: share(whole[1] - whole[0], drawn.map(([one, two]) => two - one)),
  };
}

function ends(values: number[]): { low: number; high: number } {
  const order = [...values].sort((a, b) => a - b);
  return { low: order[Math.floor(0.025 * (order.length - 1))]!, high: order[Math.ceil(0.975 * (order.length - 1))]! };
}
