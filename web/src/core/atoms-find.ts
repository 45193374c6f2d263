/** Finding atoms: by name, by any number, and by where on pictures they are active. */
import type { Atoms, Codes, GalleryImage } from "./atoms";
import { pixelToCell } from "./frame";
import type { PixelRef } from "./types";

/** A name of an atom: what it is called, by whom, and how well that held up; chance beside it. */
export interface Name {
  text: string;
  /** `word`, a fact, or `judge`. */
  by: string;
  score?: number;
  chance?: number;
  /** What the score is called. */
  unit?: string;
}

/** F1 above that of calling every image so, from which on a class counts as a name. */
const MARGIN = 0.2;

const known = new WeakMap<Atoms, Name[][]>();

/** All names of an atom, those that can be relied on first. */
export function namesOf(atoms: Atoms, atom: number): Name[] {
  const all = known.get(atoms) ?? everyName(atoms);
  known.set(atoms, all);
  return all[atom] ?? [];
}

function everyName(atoms: Atoms): Name[][] {
  const keys = new Set(atoms.file.columns.map(({ key }) => key));
  return Array.from({ length: atoms.file.count }, (_, atom) => namesFrom(atoms, keys, atom));
}

function namesFrom(atoms: Atoms, keys: Set<string>, atom: number): Name[] {
  const number = (key: string): number | undefined => {
    const value = keys.has(key) ? atoms.column(key)[atom] : undefined;
    return value === undefined || Number.isNaN(value) ? undefined : value;
  };
  const found = Object.entries(atoms.file.texts).flatMap(([by, column]): Name[] => {
    const text = column[atom];
    if (!text) return [];
    if (by === "judge's words") return [{ text, by: "judge", ...scored("judge, own", "score of its own marks", number("judge, other")) }];
    if (by === "word") return [{ text, by, ...scored("detection", "detection", 0.5) }];
    return [{ text, by, ...scored(`F1 of ${by}`, "F1", number(`F1 of ${by}, chance`)) }];
  });
  return found.sort((a, b) => rank(b) - rank(a));

  function scored(key: string, unit: string, chance: number | undefined): Partial<Name> {
    const score = number(key);
    return score === undefined ? {} : { score, unit, ...(chance === undefined ? {} : { chance }) };
  }
}

/** A judge's words, then a word that captions bear out, then classes by how far they are above chance. */
function rank({ by, score, chance }: Name): number {
  if (by === "judge") return 20;
  if (by === "word") return 10;
  return (score ?? 0) - (chance ?? 0);
}

/** What an atom is called in few words; nothing where no name can be relied on. */
export function labelOf(atoms: Atoms, atom: number): string {
  const [first] = namesOf(atoms, atom);
  if (!first) return "";
  return rank(first) >= MARGIN ? first.text : "";
}

/**
 * Atoms whose names hold every word of a text, or whose number it is (`17`, `#17`). A part `fact:class` asks one fact
 * alone; without it, classes count only where they are names that can be relied on.
 */
export function named(atoms: Atoms, text: string): number[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const every = Array.from({ length: atoms.file.count }, (_, atom) => atom);
  if (words.length === 0) return every;
  const single = /^#?(\d+)$/.exec(words.length === 1 ? words[0]! : "");
  if (single) return every.filter((atom) => atom === Number(single[1]));
  return every.filter((atom) => {
    const names = namesOf(atoms, atom);
    return words.every((word) => names.some((name) => has(name, word)));
  });
}

function has(name: Name, word: string): boolean {
  const [, by, rest] = /^([^:]+):(.*)$/.exec(word) ?? [];
  if (by !== undefined && rest !== undefined) return name.by.toLowerCase() === by && name.text.toLowerCase().includes(rest);
  return rank(name) >= MARGIN && name.text.toLowerCase().includes(word);
}

/** Atoms by a number, largest first (or smallest); those without one last, equal ones by their number. */
export function sorted(atoms: Atoms, some: number[], key: string, falling = true): number[] {
  const values = atoms.column(key);
  const sign = falling ? -1 : 1;
  return [...some].sort((a, b) => {
    const [x, y] = [values[a]!, values[b]!];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
    return sign * (x - y) || a - b;
  });
}

export interface Hit {
  atom: number;
  /** Share of the painted cells in which it is active. */
  here: number;
  /** Share of those painted against, or of all other cells of the gallery. */
  elsewhere: number;
  /** Mean code in the painted cells. */
  code: number;
}

export interface Region {
  /** Atoms that are active in any painted cell, by here - elsewhere, then by code. */
  hits: Hit[];
  /** Painted cells, and those that they are compared with. */
  cells: number;
  others: number;
}

/** Which atoms are active in painted cells and not elsewhere. Places in images that are not of the gallery count for nothing. */
export async function inRegion(atoms: Atoms, painted: (PixelRef & { sign: 1 | -1 })[]): Promise<Region> {
  const [here, against] = await Promise.all([counted(atoms, painted, 1), counted(atoms, painted, -1)]);
  const density = atoms.column("density");
  const rest = Math.max(0, atoms.file.cells - here.counted);
  const others = against.cells > 0 ? against.cells : rest;
  const hits = [...here.active].map(([atom, count]): Hit => {
    const beyond = Math.max(0, (density[atom] ?? 0) * atoms.file.cells - (here.known.get(atom) ?? 0));
    const elsewhere = against.cells > 0 ? (against.active.get(atom) ?? 0) / against.cells : rest > 0 ? beyond / rest : 0;
    return { atom, here: count / here.cells, elsewhere, code: (here.total.get(atom) ?? 0) / here.cells };
  });
  hits.sort((a, b) => b.here - b.elsewhere - (a.here - a.elsewhere) || b.code - a.code || a.atom - b.atom);
  return { hits, cells: here.cells, others };
}

interface Counted {
  cells: number;
  active: Map<number, number>;
  /** Of these, cells of images over which everything is counted. */
  counted: number;
  known: Map<number, number>;
  total: Map<number, number>;
}

async function counted(atoms: Atoms, painted: (PixelRef & { sign: 1 | -1 })[], sign: 1 | -1): Promise<Counted> {
  const places = new Map<GalleryImage, Set<number>>();
  for (const place of painted) {
    const image = place.sign === sign ? atoms.image(place.image) : undefined;
    const cell = image && cellIn(image, place.x, place.y);
    if (image && cell !== undefined) places.set(image, (places.get(image) ?? new Set()).add(cell));
  }
  const all = await Promise.all([...places].map(async ([image, cells]): Promise<[Codes, Set<number>, boolean]> => [await atoms.codes(image), cells, atoms.counts(image)]));
  const found: Counted = { cells: 0, counted: 0, active: new Map(), known: new Map(), total: new Map() };
  for (const [codes, cells, counts] of all)
    for (const cell of cells) {
      found.cells += 1;
      found.counted += Number(counts);
      for (const { atom, code } of codes.at(cell)) {
        if (code <= 0) continue;
        found.active.set(atom, (found.active.get(atom) ?? 0) + 1);
        if (counts) found.known.set(atom, (found.known.get(atom) ?? 0) + 1);
        found.total.set(atom, (found.total.get(atom) ?? 0) + code);
      }
    }
  return found;
}

/** The cell of an image that holds a pixel; nothing where it is padding. */
export function cellIn(image: GalleryImage, x: number, y: number): number | undefined {
  const { row, col } = pixelToCell(image.frame, image.rows, image.cols, image.stride, x, y);
  const cell = row * image.cols + col;
  return image.invalid?.includes(cell) ? undefined : cell;
}
