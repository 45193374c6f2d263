// The page of similarity maps: state, drawing, pointing. Numbers come from kernel.js.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SIDE = 320; // canvas pixels of a picture's longer side

const state = { site: data.start.site, level: data.start.level, measure: "cosine", held: true, ...data.start.query };
const pictures = data.images.map(makePicture);
const tables = Object.fromEntries(Object.entries(data.colours).map(([name, text]) => [name, bytes(text)]));
let answer = null; // the numbers on show

function bytes(text) {
  const raw = atob(text);
  const result = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) result[i] = raw.charCodeAt(i);
  return result;
}

// A view is unpacked when it is first looked at.
function currentView() {
  const view = data.views.find((v) => v.site === state.site && v.level === state.level);
  if (!(view.values instanceof Int8Array)) {
    view.values = new Int8Array(bytes(view.values).buffer);
    view.scalars = new Float32Array(bytes(view.scalars).buffer);
  }
  return view;
}

// Pixels of picture i (x, y) to continuous cells, and back; the map that the extraction recorded.
const frameOf = (i) => data.images[i].frame; // width, height, canvas width, canvas height, scales, offsets
function toCells(i, x, y, view) {
  const f = frameOf(i);
  const stride = view.stride;
  return [(x * f[4] + f[6]) / stride, (y * f[5] + f[7]) / stride];
}
function toPixels(i, column, row, view) {
  const f = frameOf(i);
  const stride = view.stride;
  return [(column * stride - f[6]) / f[4], (row * stride - f[7]) / f[5]];
}
function onImage(i, column, row, view) {
  const [x, y] = toPixels(i, column + 0.5, row + 0.5, view);
  return x >= 0 && y >= 0 && x <= frameOf(i)[0] && y <= frameOf(i)[1];
}

function makePicture(image, index) {
  const [width, height] = image.frame;
  const canvas = document.createElement("canvas");
  const scale = SIDE / Math.max(width, height);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${image.title}: similarity to the chosen cell`);
  const caption = document.createElement("figcaption");
  const figure = document.createElement("figure");
  figure.append(canvas, caption);
  const photo = new Image();
  photo.onload = () => draw();
  photo.src = image.url;
  canvas.addEventListener("pointermove", (event) => point(event, index, false));
  canvas.addEventListener("pointerdown", (event) => point(event, index, true));
  return { index, canvas, caption, figure, photo, scale, cells: document.createElement("canvas") };
}

function point(event, index, hold) {
  if (hold) state.held = !(state.held && state.image === index && hitsQuery(event, index));
  else if (state.held) return;
  const { x, y } = pixelOf(event, index);
  Object.assign(state, { image: index, x, y });
  refresh();
}

function pixelOf(event, index) {
  const box = pictures[index].canvas.getBoundingClientRect();
  const [width, height] = frameOf(index);
  const clamp = (value, top) => Math.min(Math.max(value, 0), top - 1e-3);
  const x = ((event.clientX - box.left) / box.width) * width;
  const y = ((event.clientY - box.top) / box.height) * height;
  return { x: clamp(x, width), y: clamp(y, height) };
}

function queryCell(view) {
  const [column, row] = toCells(state.image, state.x, state.y, view).map(Math.floor);
  return [Math.min(Math.max(row, 0), view.rows - 1), Math.min(Math.max(column, 0), view.cols - 1)];
}

function hitsQuery(event, index) {
  const view = currentView();
  const { x, y } = pixelOf(event, index);
  const [column, row] = toCells(index, x, y, view).map(Math.floor);
  const [queryRow, queryColumn] = queryCell(view);
  return row === queryRow && column === queryColumn;
}

let asked = false;
function refresh() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    compute();
    draw();
    remember();
  });
}

function compute() {
  const view = currentView();
  const [row, column] = queryCell(view);
  const centred = state.measure === "centred cosine";
  const numbers = similarities(view, state.image, row * view.cols + column, centred);
  const cells = view.rows * view.cols;
  for (let k = 0; k < numbers.length; k++) {
    const [i, cell] = [Math.floor(k / cells), k % cells];
    if (!onImage(i, cell % view.cols, Math.floor(cell / view.cols), view)) numbers[k] = NaN;
  }
  answer = { view, numbers, row, column, cells, centred, range: shared(numbers, centred) };
}

function draw() {
  if (!answer) return;
  for (const picture of pictures) drawPicture(picture);
  drawScale();
  const { view, row, column } = answer;
  const image = data.images[state.image];
  const { stride } = view;
  const place = `${view.rows} × ${view.cols} cells of ${+stride.toFixed(2)} px, ${view.channels} channels.`;
  const hint = state.held ? "Held: click this cell to let go, another to move; arrow keys step." : "Click to hold.";
  const words = [strong(`cell ${row}, ${column}`), " of ", strong(image.title), " at ", strong(view.site)];
  byId("status").replaceChildren(...words, `, timestep ${view.level}: ${place} ${hint}`);
}

function strong(text) {
  const element = document.createElement("b");
  element.textContent = text;
  return element;
}

function drawPicture(picture) {
  const { canvas, photo, cells, index } = picture;
  const { view, numbers } = answer;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.filter = "grayscale(1)"; // so that colour means similarity and nothing else
  if (photo.complete) context.drawImage(photo, 0, 0, canvas.width, canvas.height);
  context.filter = "none";
  const own = numbers.subarray(index * answer.cells, (index + 1) * answer.cells);
  paint(cells, own, view);
  const [x0, y0] = toPixels(index, 0, 0, view).map((v) => v * picture.scale);
  const [x1, y1] = toPixels(index, view.cols, view.rows, view).map((v) => v * picture.scale);
  context.globalAlpha = Number(byId("blend").value);
  context.imageSmoothingEnabled = false;
  context.drawImage(cells, x0, y0, x1 - x0, y1 - y0);
  context.globalAlpha = 1;
  const best = top(own, index === state.image ? answer.row * view.cols + answer.column : -1);
  markCell(picture, Math.floor(best / view.cols), best % view.cols, false);
  if (index === state.image) markCell(picture, answer.row, answer.column, true);
  picture.caption.textContent = `${data.images[index].title} · best ${own[best].toFixed(2)}`;
}

function paint(canvas, numbers, view) {
  [canvas.width, canvas.height] = [view.cols, view.rows];
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(view.cols, view.rows);
  const table = tables[answer.centred ? "diverging" : "sequential"];
  const [low, high] = answer.range;
  numbers.forEach((number, k) => {
    if (Number.isNaN(number)) return;
    const step = Math.min(Math.max(Math.round(((number - low) / (high - low)) * 255), 0), 255);
    pixels.data.set(table.subarray(step * 3, step * 3 + 3), k * 4);
    pixels.data[k * 4 + 3] = 255;
  });
  context.putImageData(pixels, 0, 0);
}

// The most similar cell, other than the query itself.
function top(numbers, skip) {
  let best = skip === 0 ? 1 : 0;
  numbers.forEach((number, k) => {
    if (k !== skip && !(number <= numbers[best])) best = Number.isNaN(number) ? best : k;
  });
  return best;
}

// A square for the query, a ring for the best answer; white on black, so that both show on any colour.
function markCell(picture, row, column, query) {
  const context = picture.canvas.getContext("2d");
  const [x0, y0] = toPixels(picture.index, column, row, answer.view).map((v) => v * picture.scale);
  const [x1, y1] = toPixels(picture.index, column + 1, row + 1, answer.view).map((v) => v * picture.scale);
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  const half = Math.max(Math.abs(x1 - x0) / 2, 5);
  context.beginPath();
  if (query) context.rect(x - half, y - half, 2 * half, 2 * half);
  else context.arc(x, y, Math.min(half, 9), 0, 7);
  for (const [width, colour] of [[5, "#000"], [2.5, "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}

function drawScale() {
  const context = byId("scale").getContext("2d");
  const row = context.createImageData(256, 1);
  const table = tables[answer.centred ? "diverging" : "sequential"];
  for (let i = 0; i < 256; i++) row.data.set([table[i * 3], table[i * 3 + 1], table[i * 3 + 2], 255], i * 4);
  context.putImageData(row, 0, 0);
  [byId("low").textContent, byId("high").textContent] = answer.range.map((v) => v.toFixed(2).replace("-", "−"));
  byId("scale-name").textContent = `${state.measure}, one scale for all pictures`;
}

function choices(id, values, key) {
  const buttons = values.map((value) => {
    const button = document.createElement("button");
    button.textContent = value;
    button.onclick = () => {
      state[key] = value;
      press();
      refresh();
    };
    return button;
  });
  const press = () => buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.textContent === state[key])));
  byId(id).append(...buttons);
  press();
  return press;
}

function offer(query) {
  const button = document.createElement("button");
  button.textContent = query.note;
  button.onclick = () => {
    Object.assign(state, { image: query.image, x: query.x, y: query.y, held: true });
    refresh();
  };
  return button;
}

function remember() {
  const { site, level, measure, image, x, y } = state;
  const parts = { site, level, measure, image: data.images[image].id, x: x.toFixed(1), y: y.toFixed(1) };
  history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
}

function recall() {
  const said = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const image = data.images.findIndex((candidate) => candidate.id === said.image);
  if (image < 0 || !data.views.some((v) => v.site === said.site && v.level === said.level)) return;
  Object.assign(state, { site: said.site, level: said.level, image, x: Number(said.x), y: Number(said.y) });
  if (said.measure === "centred cosine") state.measure = said.measure;
}

addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!step || event.target.tagName === "INPUT") return;
  event.preventDefault();
  const { view, row, column } = answer;
  const next = [column + step[0], row + step[1]];
  if (next[0] < 0 || next[1] < 0 || next[0] >= view.cols || next[1] >= view.rows) return;
  if (!onImage(state.image, ...next, view)) return;
  const [x, y] = toPixels(state.image, next[0] + 0.5, next[1] + 0.5, view);
  Object.assign(state, { x, y, held: true });
  refresh();
});

recall();
for (const group of new Set(data.images.map((image) => image.group))) {
  const heading = document.createElement("h2");
  heading.textContent = group;
  const row = document.createElement("div");
  row.className = "pictures";
  row.append(...pictures.filter((p) => data.images[p.index].group === group).map((p) => p.figure));
  byId("gallery").append(heading, row);
}
choices("sites", [...new Set(data.views.map((v) => v.site))], "site");
choices("levels", [...new Set(data.views.map((v) => v.level))], "level");
choices("measures", ["cosine", "centred cosine"], "measure");
byId("tries").append(...data.queries.map(offer));
byId("blend").oninput = draw;
refresh();
