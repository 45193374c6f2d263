/** Strict reading of safetensors: 8 bytes of header length, a JSON header, raw tensors. Bad files give one clear line. */
import { BundleError } from "./types";

export type Dtype = "I8" | "U8" | "U16" | "F16" | "F32" | "I32";

export interface Tensor {
  dtype: Dtype;
  shape: number[];
  /** Byte range in the file. */
  start: number;
  end: number;
}

export interface TensorFile {
  buffer: ArrayBuffer;
  tensors: Map<string, Tensor>;
  /** Bytes that the whole file must have. */
  bytes: number;
}

const WIDTH: Record<Dtype, number> = { I8: 1, U8: 1, U16: 2, F16: 2, F32: 4, I32: 4 };
const MAX_HEADER = 1 << 20;

/**
 * The tensors of a file.
 *
 * @param buffer the file, or its beginning with `partial`: then tensors may end beyond what is there.
 * @throws BundleError when the header, a dtype, a shape, or a byte range is not as it must be.
 */
export function readTensors(buffer: ArrayBuffer, name = "pack", partial = false): TensorFile {
  const fail = (why: string): never => {
    throw new BundleError(`${name} is not a readable pack: ${why}`);
  };
  if (buffer.byteLength < 8) fail(`it has ${buffer.byteLength} bytes, and 8 are needed for the header's length`);
  const view = new DataView(buffer);
  const length = view.getUint32(0, true);
  if (view.getUint32(4, true) !== 0 || length > MAX_HEADER) fail("its header claims more than 1 MiB");
  if (8 + length > buffer.byteLength) fail(`its header needs ${8 + length} bytes, and the file has ${buffer.byteLength}`);
  const header = parse(new Uint8Array(buffer, 8, length), fail);
  const tensors = new Map<string, Tensor>();
  for (const [key, entry] of Object.entries(header))
    if (key !== "__metadata__") tensors.set(key, checked(key, entry, 8 + length, fail));
  const end = contiguous(tensors, 8 + length, fail);
  if (!partial && end !== buffer.byteLength) fail(`its tensors end at byte ${end}, and the file has ${buffer.byteLength}`);
  return { buffer, tensors, bytes: end };
}

/** A float32 tensor of the wanted shape, copied where its place in the file is not aligned. */
export function floats(file: TensorFile, key: string, shape: number[], name = "pack"): Float32Array {
  const tensor = wanted(file, key, "F32", shape, name);
  if (tensor.start % 4) return new Float32Array(file.buffer.slice(tensor.start, tensor.end));
  return new Float32Array(file.buffer, tensor.start, (tensor.end - tensor.start) / 4);
}

/** An int8 tensor of the wanted shape: a view into the file. */
export function bytes(file: TensorFile, key: string, shape: number[], name = "pack"): Int8Array {
  const tensor = wanted(file, key, "I8", shape, name);
  return new Int8Array(file.buffer, tensor.start, tensor.end - tensor.start);
}

/** An int32 or uint16 tensor of the wanted shape, whichever it is. */
export function integers(file: TensorFile, key: string, shape: number[], name = "pack"): Int32Array | Uint16Array {
  const dtype = file.tensors.get(key)?.dtype === "U16" ? "U16" : "I32";
  const tensor = wanted(file, key, dtype, shape, name);
  const raw = file.buffer.slice(tensor.start, tensor.end);
  return dtype === "U16" ? new Uint16Array(raw) : new Int32Array(raw);
}

/** A uint8 tensor of the wanted shape: a view into the file. */
export function octets(file: TensorFile, key: string, shape: number[], name = "pack"): Uint8Array {
  const tensor = wanted(file, key, "U8", shape, name);
  return new Uint8Array(file.buffer, tensor.start, tensor.end - tensor.start);
}

/** A float16 tensor of the wanted shape, as float32. */
export function halves(file: TensorFile, key: string, shape: number[], name = "pack"): Float32Array {
  const tensor = wanted(file, key, "F16", shape, name);
  return Float32Array.from(new Uint16Array(file.buffer.slice(tensor.start, tensor.end)), half);
}

/** The number that 16 bits stand for: IEEE 754 half precision. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Whether a tensor lies wholly in what was read. */
export function present(file: TensorFile, key: string): boolean {
  return (file.tensors.get(key)?.end ?? Infinity) <= file.buffer.byteLength;
}

type Fail = (why: string) => never;

function parse(raw: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
  } catch {
    fail("its header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) fail("its header is not an object");
  return header as Record<string, unknown>;
}

function checked(key: string, entry: unknown, offset: number, fail: Fail): Tensor {
  const { dtype, shape, data_offsets: range } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(WIDTH, dtype))
    fail(`tensor ${key} has the dtype ${String(dtype)}; a pack holds ${Object.keys(WIDTH).join(", ")}`);
  if (!isCounts(shape) || shape.length > 4) fail(`tensor ${key} has no proper shape`);
  if (!isCounts(range) || range.length !== 2 || range[0]! > range[1]!) fail(`tensor ${key} has no proper byte range`);
  const [start, end] = range as [number, number];
  const size = (shape as number[]).reduce((a, b) => a * b, WIDTH[dtype as Dtype]);
  if (size !== end - start) fail(`tensor ${key} of shape [${String(shape)}] takes ${size} bytes, its range has ${end - start}`);
  return { dtype: dtype as Dtype, shape: shape as number[], start: offset + start, end: offset + end };
}

/** The ranges must tile the file: no overlap, no hole. Returns where the last ends. */
function contiguous(tensors: Map<string, Tensor>, offset: number, fail: Fail): number {
  let end = offset;
  for (const [key, tensor] of [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (tensor.start !== end) fail(`tensor ${key} ${tensor.start < end ? "overlaps the one before it" : "lies behind a hole"}`);
    end = tensor.end;
  }
  return end;
}

function wanted(file: TensorFile, key: string, dtype: Dtype, shape: number[], name: string): Tensor {
  const tensor = file.tensors.get(key);
  if (!tensor) throw new BundleError(`${name} lacks the tensor ${key}; it has ${[...file.tensors.keys()].join(", ")}`);
  if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join())
    throw new BundleError(
      `${name}: tensor ${key} is ${tensor.dtype} [${tensor.shape.join(", ")}], expected ${dtype} [${shape.join(", ")}]`,
    );
  if (tensor.end > file.buffer.byteLength) throw new BundleError(`${name}: tensor ${key} is cut off`);
  return tensor;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
