// Similarity of one cell to all cells, from eight-bit packs. The same arithmetic as denoscope.explorer.pack.

// A view is {rows, cols, channels, meanSquare, values: Int8Array, scalars: Float32Array}, samples one after another.
// Answers a Float32Array with rows * cols numbers per sample.
function similarities(view, sample, cell, centred) {
  const { rows, cols, channels, meanSquare, values, scalars } = view;
  const cells = rows * cols;
  const total = values.length / channels;
  const query = sample * cells + cell;
  const q = values.subarray(query * channels, (query + 1) * channels);
  const [scale, norm, spread, along] = scalars.subarray(query * 4, query * 4 + 4);
  const length = centred ? spread : norm;
  const result = new Float32Array(total);
  for (let key = 0; key < total; key++) {
    let product = whole(q, values, key * channels, channels) * scalars[key * 4] * scale;
    if (!centred) product += scalars[key * 4 + 3] + along + meanSquare;
    const lengths = length * scalars[key * 4 + (centred ? 2 : 1)];
    result[key] = lengths > 0 ? Math.min(Math.max(product / lengths, -1), 1) : 0;
  }
  return result;
}

// The integer dot product; exact.
function whole(q, values, start, channels) {
  let sum = 0;
  for (let i = 0; i < channels; i++) sum += q[i] * values[start + i];
  return sum;
}

// Lowest and highest number to colour, shared by all maps: the middle 98 % of what is shown.
function shared(numbers, symmetric) {
  const sorted = Float32Array.from(numbers.filter((x) => !Number.isNaN(x))).sort();
  if (!sorted.length) return [0, 1];
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  let [low, high] = [at(0.01), at(0.99)];
  if (symmetric) {
    high = Math.max(-low, high);
    low = -high;
  }
  return high - low > 1e-6 ? [low, high] : [low - 1e-6, high + 1e-6];
}
