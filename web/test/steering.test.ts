/** Steering on the page: what is brushed, what is asked, and what moved. */
import { describe, expect, it } from "vitest";
import { seeded } from "../src/core/random";
import type { Steered, SteerSource } from "../src/ui/live";
import { coloured, difference } from "../src/ui/steer/difference";
import { Form, asked } from "../src/ui/steer/form.svelte";
import { anything, bits, dabbed, empty, inverted, outlined, region, share, stroke, type Region } from "../src/ui/steer/region";

const random = seeded(9);
const scattered = (rows: number, cols: number): Region => ({ rows, cols, on: Uint8Array.from({ length: rows * cols }, () => Number(random() < 0.4)) });

describe("a brushed region", () => {
  it("comes back from its text, whatever its size", () => {
    for (const [rows, cols] of [[1, 1], [3, 5], [4, 4], [7, 9], [32, 32]] as const) {
      const one = scattered(rows, cols);
      const text = bits(one);
      expect(text).toMatch(/^[0-9a-f]+$/);
      expect(text.length).toBe(Math.ceil((rows * cols) / 4));
      expect(region(text, rows, cols)).toEqual(one);
    }
    expect(anything(region("zz", 2, 2))).toBe(false);
  });

  it("is the server's: the first cell is the highest bit", () => {
    const one = empty(2, 4);
    one.on[0] = 1;
    one.on[7] = 1;
    expect(bits(one)).toBe("81");
  });

  it("a dab is a disc, and a stroke leaves no gap, however fast it was", () => {
    const one = dabbed(empty(), 0.5, 0.5, 4, 1);
    expect(share(one) * 32 * 32).toBeGreaterThan(45);
    expect(share(one) * 32 * 32).toBeLessThan(56);
    const line = stroke(empty(), { x: 0.02, y: 0.5 }, { x: 0.98, y: 0.5 }, 1, 1);
    for (let col = 1; col < 31; col++) expect(line.on[16 * 32 + col] || line.on[15 * 32 + col]).toBe(1);
    expect(anything(stroke(line, { x: 0, y: 0.5 }, { x: 1, y: 0.5 }, 3, 0))).toBe(false);
    expect(share(inverted(line))).toBeCloseTo(1 - share(line), 9);
    expect(anything(empty())).toBe(false);
  });

  it("its outline has an edge wherever brushed and unbrushed cells meet", () => {
    const one = empty(3, 3);
    one.on[4] = 1;
    expect(outlined(one).match(/M/g)).toHaveLength(4);
    one.on[5] = 1;
    expect(outlined(one).match(/M/g)).toHaveLength(6);
    expect(outlined(empty(3, 3))).toBe("");
  });
});

describe("what moved", () => {
  it("is the mean over red, green and blue, and does not care for order", () => {
    const [a, b] = [Uint8ClampedArray.of(0, 0, 0, 255, 10, 20, 30, 255), Uint8ClampedArray.of(3, 6, 9, 255, 10, 20, 30, 0)];
    expect([...difference(a, b)]).toEqual([6, 0]);
    expect(difference(b, a)).toEqual(difference(a, b));
    expect(() => difference(a, a.slice(4))).toThrow(/sizes/);
  });

  it("is coloured from 0 to the largest, and never outside of the table", () => {
    const table = Uint8Array.from({ length: 768 }, (_, at) => Math.floor(at / 3));
    expect([...coloured(Float32Array.of(0, 5, 10, 99), table, 10)]).toEqual([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
    expect([...coloured(Float32Array.of(0), table, 0)]).toEqual([0, 0, 0, 255]);
  });
});

describe("the form", () => {
  const source: SteerSource = { id: "dictionaries/d", name: "d", kind: "topk", site: "up.1", model: "embedded", atoms: 9, digest: "d1", labels: [], activity: [] };

  function filled(): Form {
    const form = new Form();
    [form.sources, form.model, form.prompt, form.seed, form.steps, form.pictures] = [[source], "embedded", "a cat", 5, 20, 3];
    form.push(source, 4);
    return form;
  }

  it("asks for what it shows; without a push nothing is limited", () => {
    const form = filled();
    form.region = dabbed(form.region, 0.5, 0.5, 3, 1);
    [form.from, form.until, form.branch, form.judge] = [0.25, 0.5, "cond", true];
    const wanted = form.ask(true);
    expect(wanted).toMatchObject({ model: "embedded", prompt: "a cat", seed: 5, steps: 20, pictures: 3, window: [5, 10], branch: "cond", judge: true });
    expect(wanted.pushes).toEqual([{ source: "dictionaries/d", atom: 4, edit: "add", strength: 0.5 }]);
    expect(wanted.region?.bits).toBe(bits(form.region));
    expect(form.ask(false)).toMatchObject({ pushes: [], region: null, window: null, branch: "both", judge: false });
  });

  it("takes over what a run was asked, and asks the same again", () => {
    const form = filled();
    form.region = dabbed(form.region, 0.2, 0.7, 5, 1);
    [form.from, form.until, form.guidance] = [0.1, 0.6, 4];
    const ask = form.ask(true);
    const other = new Form();
    other.sources = [source];
    other.take({ ask } as Steered);
    expect(other.ask(true)).toEqual(ask);
    expect(other.same({ ask } as Steered)).toBe(true);
    other.seed = 6;
    expect(other.same({ ask } as Steered)).toBe(false);
  });

  it("is not ready without a model, or with a direction that is gone; judges know one world alone", () => {
    const form = filled();
    expect(form.ready).toBe(true);
    form.sources = [];
    expect(form.ready).toBe(false);
    form.sources = [source];
    form.model = "sd15";
    form.judge = true;
    expect(form.judged).toBe(false);
    expect(form.ask(true).judge).toBe(false);
    form.model = "";
    expect(form.ready).toBe(false);
  });

  it("a window is never empty, and the whole way is none", () => {
    const form = filled();
    for (const [from, until] of [[0.95, 1], [0, 0.05], [0.5, 0.55]] as const) {
      [form.from, form.until, form.steps] = [from, until, 4];
      const [first, after] = form.window ?? [0, 0];
      expect(after).toBeGreaterThan(first);
      expect(after).toBeLessThanOrEqual(4);
    }
    [form.from, form.until] = [0, 1];
    expect(form.window).toBeNull();
  });

  it("a link from another view names a source and an atom", () => {
    expect(asked("dictionaries/learn-topk@x@17")).toEqual({ source: "dictionaries/learn-topk@x", atom: 17 });
    for (const text of ["", "x", "x@", "@3", "x@-1", "x@1.5"]) expect(asked(text)).toBeUndefined();
  });
});
