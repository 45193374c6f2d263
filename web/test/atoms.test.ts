/** Atoms as the page reads them: codes, names, order and painted regions, held to dense arithmetic; bad files are one line. */
import { describe, expect, it } from "vitest";
import { Atoms, checkAtoms, openAtoms, readCodes, type AtomsFile } from "../src/core/atoms";
import { inRegion, labelOf, named, namesOf, sorted } from "../src/core/atoms-find";
import { seeded } from "../src/core/random";
import { half } from "../src/core/safetensors";
import { memorySource } from "../src/core/source";
import { BundleError } from "../src/core/types";
import { columnOf, placed, tileOf } from "../src/ui/atoms";
import { tensorFile } from "./made";

const [ROWS, COLS, COUNT] = [3, 4, 7];
const CELLS = ROWS * COLS;

type Part = [dtype: string, shape: number[], raw: Uint8Array];

/** A safetensors file of some tensors. */
function file(parts: Record<string, Part>): ArrayBuffer {
  let at = 0;
  const header = Object.entries(parts).map(([name, [dtype, shape, raw]]) => {
    at += raw.length;
    return [name, { dtype, shape, data_offsets: [at - raw.length, at] }] as const;
  });
  const data = new Uint8Array(at);
  header.forEach(([name, { data_offsets }]) => data.set(parts[name]![2], data_offsets[0]));
  return tensorFile(JSON.stringify(Object.fromEntries(header)), data);
}

const raw = (values: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(values.buffer.slice(0) as ArrayBuffer);
const f32 = (shape: number[], values: number[]): Part => ["F32", shape, raw(Float32Array.from(values))];
const i32 = (shape: number[], values: number[]): Part => ["I32", shape, raw(Int32Array.from(values))];

/** Sixteen bits of a number that is a sum of a few powers of two. */
function bits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
}

/** Codes [cell][atom], mostly 0, some below. */
function dense(seed: number): number[][] {
  const random = seeded(seed);
  return Array.from({ length: CELLS }, () => Array.from({ length: COUNT }, () => (random() < 0.35 ? Math.round(random() * 64 - 16) / 8 : 0)));
}

function codesFile(codes: number[][], change: (parts: Record<string, Part>) => void = () => undefined): ArrayBuffer {
  const cells = codes.map((row) => row.map((code, atom) => ({ atom, code })).filter(({ code }) => code !== 0).sort((a, b) => Math.abs(b.code) - Math.abs(a.code)));
  const flat = cells.flat();
  const starts = cells.reduce((all, cell) => [...all, all.at(-1)! + cell.length], [0]);
  const parts: Record<string, Part> = {
    left: f32([codes.length], codes.map((_, cell) => cell)),
    starts: i32([starts.length], starts),
    atoms: ["U16", [flat.length], raw(Uint16Array.from(flat, ({ atom }) => atom))],
    values: ["F16", [flat.length], raw(Uint16Array.from(flat, ({ code }) => bits(code)))],
  };
  change(parts);
  return file(parts);
}

const NAMES = ["a", "b"];
const truth = NAMES.map((_, at) => dense(at));
const all = truth.flat();
const active = (atom: number): number => all.filter((row) => row[atom]! > 0).length / all.length;

function numbers(): ArrayBuffer {
  const atoms = Array.from({ length: COUNT }, (_, atom) => atom);
  const largest = atoms.map((atom) => Math.max(0, ...all.map((row) => row[atom]!)));
  return file({
    density: f32([COUNT], atoms.map(active)),
    largest: f32([COUNT], largest),
    detection: f32([COUNT], [NaN, 0.9, NaN, 0.6, 0.6, NaN, NaN]),
    "F1 of colour": f32([COUNT], [0.8, 0.3, 0.31, 0.3, 0.3, 0.3, 0.3]),
    "F1 of colour, chance": f32([COUNT], atoms.map(() => 0.3)),
    levels: f32([2, COUNT], [...atoms.map((atom) => atom / 10), ...atoms.map((atom) => atom / 20)]),
    "levels.error": f32([2, COUNT], [...atoms.map(() => 0.01), ...atoms.map(() => 0.02)]),
    "top.image": i32([COUNT, 16], atoms.flatMap((atom) => [atom % 2, 1 - (atom % 2), ...Array(14).fill(-1)])),
    "top.cell": i32([COUNT, 16], atoms.flatMap((atom) => [atom, atom + 1, ...Array(14).fill(-1)])),
    "top.code": f32([COUNT, 16], atoms.flatMap(() => [3, 2, ...Array(14).fill(0)])),
    near: i32([COUNT, 8], atoms.flatMap((atom) => [(atom + 1) % COUNT, ...Array(7).fill(-1)])),
    "near.cosine": f32([COUNT, 8], atoms.flatMap(() => [-0.5, ...Array(7).fill(0)])),
    beside: i32([COUNT, 8], atoms.flatMap(() => Array(8).fill(-1))),
    "beside.phi": f32([COUNT, 8], atoms.flatMap(() => Array(8).fill(0))),
    position: ["U8", [COUNT, 8, 8], Uint8Array.from({ length: COUNT * 64 }, (_, at) => at % 256)],
  });
}

function told(change: Partial<AtomsFile> = {}): AtomsFile {
  const image = (id: string) => ({ id, title: id, file: "p", width: 40, height: 30, rows: ROWS, cols: COLS, stride: 10, frame: [40, 30, 40, 30, 1, 1, 0, 0], codes: `codes/${id}`, ...(id === "b" ? { invalid: [11] } : {}) });
  return {
    name: "n", kind: "itda", digest: "d", model: "m", site: "up.1", level: "50", recipe: "r", count: COUNT, channels: 4, signed: true, kept: 64,
    images: NAMES.map(image), counted: 2, of: 9, cells: all.length, power: 2, numbers: "numbers", directions: "directions",
    columns: ["density", "largest", "detection", "F1 of colour", "F1 of colour, chance"].map((key) => ({ key, title: key, says: key })),
    texts: { word: ["", "cat", "", "dog house", "", "", ""], colour: ["red", "blue", "blue", "blue", "blue", "blue", "blue"] },
    levels: [{ level: "0", learned: false }, { level: "50", learned: true }], scores: [], notes: [],
    births: { images: ["a", null, "b", "a", "a", "a", "a"], cells: [1, null, 2, 3, 4, 5, 6], timesteps: Array(7).fill(50), sheets: ["s0", "s1"], tile: 48, columns: 2, each: 4 },
    ...change,
  };
}

function source(change: Partial<AtomsFile> = {}) {
  const files = new Map<string, Uint8Array<ArrayBuffer>>([
    ["panel", new TextEncoder().encode(JSON.stringify(told(change))) as Uint8Array<ArrayBuffer>],
    ["numbers", new Uint8Array(numbers())],
    ...NAMES.map((id, at) => [`codes/${id}`, new Uint8Array(codesFile(truth[at]!))] as const),
  ]);
  return memorySource(files);
}

const opened = (): Promise<Atoms> => openAtoms(source(), "panel");

describe("codes", () => {
  it("are those of the dense matrix, cell by cell and atom by atom", () => {
    const codes = readCodes(codesFile(truth[0]!), CELLS, COUNT);
    for (let atom = 0; atom < COUNT; atom++) expect([...codes.map(atom)]).toEqual(truth[0]!.map((row) => row[atom]));
    truth[0]!.forEach((row, cell) => {
      const found = codes.at(cell);
      expect(Object.fromEntries(found.map(({ atom, code }) => [atom, code]))).toEqual(Object.fromEntries(row.flatMap((code, atom) => (code ? [[atom, code]] : []))));
      for (let i = 1; i < found.length; i++) expect(Math.abs(found[i]!.code)).toBeLessThanOrEqual(Math.abs(found[i - 1]!.code));
    });
    expect(codes.left[5]).toBe(5);
    expect(codes.at(CELLS + 3)).toEqual([]);
  });

  it("read half precision to the bit", () => {
    const known: [number, number][] = [[0x3c00, 1], [0xc000, -2], [0x7bff, 65504], [0x0001, 2 ** -24], [0x3555, 0.333251953125], [0x7c00, Infinity], [0x0000, 0], [0x8400, -(2 ** -14)]];
    for (const [code, value] of known) expect(half(code)).toBe(value);
    expect(half(0x7e00)).toBeNaN();
  });

  it.each<[string, (parts: Record<string, Part>) => void, RegExp]>([
    ["another number of cells", (parts) => (parts["starts"] = i32([3], [0, 1, 2])), /expected I32/],
    ["a cell that ends before it starts", (parts) => new DataView(parts["starts"]![2].buffer).setInt32(4, 99, true), /ends before/],
    ["an atom that does not exist", (parts) => (parts["atoms"]![2][0] = 200), /no atom 200/],
    ["a first cell behind the first code", (parts) => new DataView(parts["starts"]![2].buffer).setInt32(0, 1, true), /starts at code 1/],
    ["codes that are missing", (parts) => delete parts["values"], /lacks the tensor values/],
  ])("refuse %s", (_, spoil, why) => {
    expect(() => readCodes(codesFile(truth[0]!, spoil), CELLS, COUNT)).toThrow(why);
    expect(() => readCodes(codesFile(truth[0]!, spoil), CELLS, COUNT)).toThrow(BundleError);
  });
});

describe("a dictionary", () => {
  it("tells strongest images, levels, places and neighbours of each atom", async () => {
    const atoms = await opened();
    expect(atoms.strongest(3).map(({ image, cell, code }) => [image.id, cell, code])).toEqual([["b", 3, 3], ["a", 4, 2]]);
    expect(atoms.levels(4)).toEqual([
      { level: "0", learned: false, share: expect.closeTo(0.4), error: expect.closeTo(0.01) },
      { level: "50", learned: true, share: expect.closeTo(0.2), error: expect.closeTo(0.02) },
    ]);
    expect(atoms.position(2)[5]).toBeCloseTo((2 * 64 + 5) / 255);
    expect(atoms.neighbours(6, "near")).toEqual([{ atom: 0, value: -0.5 }]);
    expect(atoms.neighbours(6, "beside")).toEqual([]);
  });

  it("asks for the codes of an image once", async () => {
    const inner = source();
    const asked: string[] = [];
    const atoms = await openAtoms({ get: (path) => (asked.push(path), inner.get(path)) }, "panel");
    await Promise.all([atoms.codes(atoms.image("a")!), atoms.codes(atoms.image("a")!)]);
    await atoms.codes(atoms.image("a")!);
    expect(asked.filter((path) => path === "codes/a").length).toBe(1);
  });

  it.each<[string, unknown, RegExp]>([
    ["nothing", null, /no object/],
    ["no atoms", { ...told(), count: 0 }, /count/],
    ["a grid without rows", { ...told(), images: [{ ...told().images[0], rows: 0 }] }, /no proper grid/],
    ["too few words", { ...told(), texts: { word: ["cat"] } }, /word is not a text per atom/],
    ["births of others", { ...told(), births: { ...told().births!, cells: [] } }, /births/],
  ])("refuses %s in one line", (_, data, why) => {
    expect(() => checkAtoms(data)).toThrow(why);
    expect(() => checkAtoms(data)).toThrow(/^[^\n]+$/);
  });

  it("refuses a file of numbers that lacks one of its columns", async () => {
    await expect(openAtoms(source({ columns: [{ key: "later", title: "l", says: "l" }] }), "panel")).rejects.toThrow(/lacks the tensor later/);
  });
});

describe("finding", () => {
  it("goes by names that can be relied on, by one fact, or by number", async () => {
    const atoms = await opened();
    expect(named(atoms, "  ").length).toBe(COUNT);
    expect(named(atoms, "CAT")).toEqual([1]);
    expect(named(atoms, "house dog")).toEqual([3]);
    expect(named(atoms, "red")).toEqual([0]);
    expect(named(atoms, "blue")).toEqual([]); // no better than chance
    expect(named(atoms, "colour:blue")).toEqual([1, 2, 3, 4, 5, 6]);
    expect(named(atoms, "#4")).toEqual([4]);
    expect(named(atoms, "99")).toEqual([]);
    expect([0, 1, 2].map((atom) => labelOf(atoms, atom))).toEqual(["red", "cat", ""]);
    expect(namesOf(atoms, 1)).toEqual([
      { text: "cat", by: "word", score: expect.closeTo(0.9), unit: "detection", chance: 0.5 },
      { text: "blue", by: "colour", score: expect.closeTo(0.3), unit: "F1", chance: expect.closeTo(0.3) },
    ]);
  });

  it("sorts by a number, ties by atom, atoms without one last either way", async () => {
    const atoms = await opened();
    const every = named(atoms, "");
    expect(sorted(atoms, every, "detection")).toEqual([1, 3, 4, 0, 2, 5, 6]);
    expect(sorted(atoms, every, "detection", false)).toEqual([3, 4, 1, 0, 2, 5, 6]);
  });

  it("in a region counts cells as brute force does", async () => {
    const atoms = await opened();
    const spot = (image: string, row: number, col: number, sign: 1 | -1) => ({ image, x: col * 10 + 5, y: row * 10 + 5, sign });
    const painted = [spot("a", 0, 1, 1), spot("a", 0, 1, 1), spot("a", 2, 2, 1), spot("b", 1, 3, 1), spot("b", 2, 3, 1), spot("elsewhere", 0, 0, 1)];
    const here = [truth[0]![1]!, truth[0]![10]!, truth[1]![7]!]; // one twice, one on padding, one in no image
    const rest = all.filter((row) => !here.includes(row));
    const { hits, cells, others } = await inRegion(atoms, painted);
    expect([cells, others]).toEqual([3, all.length - 3]);
    const share = (rows: number[][], atom: number): number => rows.filter((row) => row[atom]! > 0).length / rows.length;
    expect(new Set(hits.map(({ atom }) => atom))).toEqual(new Set(Array.from({ length: COUNT }, (_, atom) => atom).filter((atom) => share(here, atom) > 0)));
    for (const hit of hits) {
      expect(hit.here).toBeCloseTo(share(here, hit.atom), 6);
      expect(hit.elsewhere).toBeCloseTo(share(rest, hit.atom), 6);
    }
    for (let i = 1; i < hits.length; i++) expect(hits[i - 1]!.here - hits[i - 1]!.elsewhere).toBeGreaterThanOrEqual(hits[i]!.here - hits[i]!.elsewhere);
    const against = await inRegion(atoms, [spot("a", 0, 1, 1), spot("a", 0, 0, -1), spot("b", 0, 0, -1)]);
    expect(against.others).toBe(2);
    for (const hit of against.hits) expect(hit.elsewhere).toBeCloseTo(share([truth[0]![0]!, truth[1]![0]!], hit.atom), 6);
    expect((await inRegion(atoms, [spot("a", 0, 0, -1)])).hits).toEqual([]);
    const later = await openAtoms(source({ counted: 1 }), "panel"); // the second picture came later: none of its cells are among the others
    const { hits: found, others: beside } = await inRegion(later, [spot("b", 1, 3, 1)]);
    expect(beside).toBe(all.length);
    for (const hit of found) expect(hit.elsewhere).toBeCloseTo(active(hit.atom), 6);
  });
});

describe("places", () => {
  it("of tiles are those of the sheet, of grids those of the picture", () => {
    const { births } = told();
    expect(tileOf(births!, 3, 96)).toEqual({ sheet: "s0", style: "width:96px;height:96px;background-position:-96px -96px;background-size:192px auto" });
    expect(tileOf(births!, 6, 48)).toMatchObject({ sheet: "s1", style: expect.stringContaining("background-position:0px -48px") });
    expect(tileOf(births!, 1, 48)).toBeUndefined();
    const image = { ...told().images[0]!, frame: [40, 30, 40, 40, -1, 1, 40, 5] };
    expect(placed(image)).toBe("left:0.0000%;top:-16.6667%;width:100.0000%;height:100.0000%;transform:scale(-1,1)");
    expect(columnOf(told(), "x").packs["b"]).toMatchObject({ rows: ROWS, cols: COLS, invalid: [11] });
  });
});
