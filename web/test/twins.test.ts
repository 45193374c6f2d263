/** Two dictionaries beside one another: brute force, planted matches, and chance that is chance. */
import { describe, expect, it } from "vitest";
import { Codes, type AtomsFile, type GalleryImage } from "../src/core/atoms";
import { gaussian, seeded } from "../src/core/random";
import { byChance, compared, leftOf, mean, nearest, pairs, sums, unit, unlike, type Directions } from "../src/core/twins";

const random = seeded(4);
const drawn = (count: number, channels: number): Directions => unit({ values: Float32Array.from({ length: count * channels }, () => gaussian(random)), count, channels });
const cosine = (a: Directions, i: number, b: Directions, j: number): number =>
  Array.from({ length: a.channels }, (_, k) => a.values[i * a.channels + k]! * b.values[j * b.channels + k]!).reduce((x, y) => x + y, 0);

describe("matching atoms", () => {
  it("finds the nearest both ways, as brute force does", async () => {
    const [a, b] = [drawn(13, 6), drawn(9, 6)];
    for (const signs of [false, true]) {
      const [one, two] = (await nearest(a, b, signs))!;
      const value = (i: number, j: number): number => (signs ? Math.abs(cosine(a, i, b, j)) : cosine(a, i, b, j));
      for (let i = 0; i < 13; i++) expect(one.cosine[i]).toBeCloseTo(Math.max(...Array.from({ length: 9 }, (_, j) => value(i, j))), 5);
      for (let j = 0; j < 9; j++) expect(value(two.where[j]!, j)).toBeCloseTo(two.cosine[j]!, 5);
    }
  });

  it("pairs what is planted, in whatever order and sign, and says what chance gives", async () => {
    const [count, channels] = [40, 64];
    const a = drawn(count, channels);
    const values = new Float32Array(count * channels);
    for (let row = 0; row < count; row++)
      for (let k = 0; k < channels; k++) values[row * channels + k] = (row % 2 ? -1 : 1) * a.values[((row + 7) % count) * channels + k]!;
    const b: Directions = { values, count, channels };
    const found = pairs((await nearest(a, b, true))!);
    expect(found).toHaveLength(count);
    for (const { first, second, cosine: near } of found) {
      expect((second + 7) % count).toBe(first);
      expect(near).toBeCloseTo(1, 5);
    }
    const chance = (await nearest(a, byChance(b), true))!;
    expect(mean(chance[0].cosine)).toBeGreaterThan(0.15);
    expect(mean(chance[0].cosine)).toBeLessThan(0.45);
    expect([...found].sort((x, y) => y.cosine - x.cosine)).toEqual(found);
  });

  it("leaves out pairs that are not each other's nearest, and dead atoms of zeros", async () => {
    const a: Directions = unit({ values: Float32Array.of(1, 0, 1, 0.1, 0, 0), count: 3, channels: 2 });
    const b: Directions = { values: Float32Array.of(1, 0), count: 1, channels: 2 };
    expect(pairs((await nearest(a, b, false))!)).toEqual([{ first: 0, second: 0, cosine: 1 }]);
  });

  it("refuses more than a browser can do, at once", async () => {
    const many = { values: new Float32Array(0), count: 1e5, channels: 1000 };
    expect(await nearest(many, many, false)).toBeUndefined();
  });
});

describe("what is left", () => {
  const image = { id: "a", rows: 2, cols: 2, invalid: [3] } as unknown as GalleryImage;
  const codes = new Codes(Int32Array.of(0, 2, 2, 3, 5), Int32Array.of(4, 1, 0, 0, 0), Float32Array.of(3, 2, 1, 9, 9), Float32Array.of(1, 2, 3, 100));

  it("is in units of the variance, without padding", () => {
    expect([...leftOf(codes, image, 2)]).toEqual([0.5, 1, 1.5, NaN]);
    expect(sums(codes, image)).toEqual({ left: 6, cells: 3, codes: 3 });
  });

  it("two of the same have no gap, whatever the images; a constant one is exact", () => {
    const rows = Array.from({ length: 30 }, () => ({ left: 5 + 10 * random(), cells: 10, codes: 20 }));
    const same = compared(rows, rows, [4, 4]);
    expect(same.gap).toEqual({ value: 0, low: 0, high: 0, n: 30 });
    const total = rows.reduce((sum, { left }) => sum + left, 0) / (300 * 4);
    expect(same.first.value).toBeCloseTo(total, 9);
    expect(same.first.low).toBeLessThan(total);
    expect(same.first.high).toBeGreaterThan(total);
    const worse = compared(rows, rows.map((row) => ({ ...row, left: row.left + 8 })), [4, 4]);
    expect(worse.gap.value).toBeCloseTo(0.2, 9);
    expect(worse.gap.low).toBeCloseTo(0.2, 9);
  });

  it("its interval is as wide as the images are unlike", () => {
    const rows = Array.from({ length: 50 }, () => ({ left: gaussian(random) + 20, cells: 10, codes: 1 }));
    const { low, high } = compared(rows, rows, [1, 1]).first;
    expect(high - low).toBeGreaterThan((2 * 1.96 * 0.1) / Math.sqrt(50) * 0.6);
    expect(high - low).toBeLessThan((2 * 1.96 * 0.1) / Math.sqrt(50) * 1.5);
  });
});

it("dictionaries of other cells are told apart", () => {
  const file = { model: "m", site: "up.1", level: "50", recipe: "r", channels: 8 } as AtomsFile;
  expect(unlike(file, file)).toBeUndefined();
  expect(unlike(file, { ...file, site: "mid" })).toMatch(/different sites: up.1 and mid/);
  expect(unlike(file, { ...file, channels: 9 })).toMatch(/8 and 9 channels/);
});
