/** What moved between two pictures, pixel by pixel. */

/** Mean over channels of the absolute difference, 0 to 255, of two RGBA pictures of one size. */
export function difference(first: Uint8ClampedArray, second: Uint8ClampedArray): Float32Array {
  if (first.length !== second.length) throw new Error('Pictures of different sizes cannot be compared.');
  return Float32Array.from({ length: first.length / 4 }, (_, pixel) => {
    const at = 4 * pixel;
    const gap = (channel: number): number => Math.abs((first[at + channel] ?? 0) - (second[at + channel] ?? 0));
    return (gap(0) + gap(1) + gap(2)) / 3;
  });
}

/** Colours of values from 0 to `high`, RGBA. */
export function coloured(values: Float32Array, table: Uint8Array, high: number): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(4 * values.length);
  values.forEach((value, pixel) => {
    const at = 3 * Math.max(0, Math.min(255, Math.round((255 * value) / Math.max(high, 1e-9))));
    rgba.set([table[at] ?? 0, table[at + 1] ?? 0, table[at + 2] ?? 0, 255], 4 * pixel);
  });
  return rgba;
}

/** Pixels of a picture at an address. */
export async function pixelsOf(address: string): Promise<ImageData> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: image.naturalWidth, height: image.naturalHeight });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser gives no canvas.');
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
