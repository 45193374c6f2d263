// Pointer to pixels in headless Chromium, ours against a straight port of the seeds' explorer, on the same data.
//
//   npm run bench                                  both sizes, 200 hovers each, and the ratio
//   npm run bench -- --quick                       tiny, to see that it runs
//   npm run bench -- --page                        the built page itself, moved over with a real mouse
//   npm run bench -- --soak 300                    hovers for 300 s over two layers that do not fit the budget together
//   npm run bench -- --agree                       every kernel, WebGPU too, against the plain loops, bit by bit
//   npm run bench -- --url http://127.0.0.1:8765/  first paint and first map of a page that is being served
//   ... --sides 32 --hovers 50                     other sizes, fewer hovers
//   ... --images 200 --channels 320                other packs
//   ... --out FILE                                 also writes the numbers as JSON
//   ... --workers N, --kernel wasm|js|webgpu       the engine's options
//
// Times are from the pointer event in the page to all canvases drawn, where "drawn" is made sure of by reading a pixel
// of each. CHROMIUM names another browser than /usr/bin/chromium.
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { build, createServer as createVite } from "vite";

const { values: asked } = parseArgs({
  options: {
    quick: { type: "boolean" },
    soak: { type: "string" },
    url: { type: "string" },
    agree: { type: "boolean" },
    page: { type: "boolean" },
    out: { type: "string" },
    workers: { type: "string" },
    kernel: { type: "string" },
    hovers: { type: "string" },
    sides: { type: "string", default: "32,64" },
    images: { type: "string", default: "16" },
    channels: { type: "string", default: "1280" },
  },
});
const MIME = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const LIMITS = { 32: 16, 64: 33 };
const options = { ...(asked.workers && { workers: Number(asked.workers) }), ...(asked.kernel && { kernel: asked.kernel }) };

const folder = mkdtempSync(join(tmpdir(), "denoscope-bench-"));
const found = { machine: `${cpus().length} x ${cpus()[0]?.model ?? "CPU"}`, date: new Date().toISOString() };
const gpu = asked.agree || asked.kernel === "webgpu" ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : [];
const browser = await chromium.launchServer({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--enable-precise-memory-info", ...gpu],
});
try {
  const client = await chromium.connect(browser.wsEndpoint());
  found.browser = client.version();
  if (asked.url) found.first = await firstPaint(client, asked.url);
  else if (asked.page) await wholePage(client);
  else await withPage(client, asked.agree ? agree : asked.soak ? soak : race);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
if (asked.out) writeFileSync(asked.out, JSON.stringify(found, null, 1) + "\n");

/** Builds the benchmark's page, serves it, and opens it. */
async function withPage(client, work) {
  const root = fileURLToPath(new URL(".", import.meta.url));
  await build({ root, configFile: false, base: "./", logLevel: "warn", build: { outDir: folder, emptyOutDir: true, target: "es2022" }, worker: { format: "es" } });
  const server = createServer((request, response) => {
    const file = join(folder, new URL(request.url, "http://host").pathname.replace(/\/$/, "/index.html"));
    if (!file.startsWith(folder) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": MIME[extname(file)] ?? "application/octet-stream" });
    return createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const page = await client.newPage({ viewport: { width: 1440, height: 900 } });
  page.on("pageerror", (error) => console.error(error));
  page.on("console", (message) => message.type() === "error" && console.error(message.text()));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => "bench" in window);
  await work(page);
  server.close();
}

async function agree(page) {
  found.agree = await page.evaluate(() => window.bench.agree({ images: 5, side: 12, channels: 83 }));
  for (const { kernel, differing, cells } of found.agree) console.log(`${kernel}: ${differing} of ${cells} values differ`);
  if (!found.agree.some(({ kernel }) => kernel.startsWith("webgpu"))) console.log("this browser has no WebGPU adapter: not tried");
  if (found.agree.some(({ differing }) => differing)) process.exitCode = 1;
}

async function race(page) {
  const hovers = Number(asked.hovers ?? (asked.quick ? 10 : 200));
  found.race = [];
  for (const shape of shapesAsked()) {
    const one = await page.evaluate(([s, n, o]) => window.bench.hover("ours", s, n, o), [shape, hovers, options]);
    // The port is slow: fewer hovers give the same quantiles in bearable time.
    const other = await page.evaluate(([s, n]) => window.bench.hover("seeds", s, n), [shape, Math.max(10, hovers >> 2)]);
    const limit = LIMITS[shape.side];
    const ratio = { p50: other.p50 / one.p50, p95: other.p95 / one.p95 };
    found.race.push({ shape, limit, ours: one, seeds: other, ratio });
    console.log(`${shape.images} images of ${shape.side} x ${shape.side} x ${shape.channels}`);
    for (const each of [one, other])
      console.log(`  ${each.name.padEnd(34)} p50 ${ms(each.p50)}  p95 ${ms(each.p95)}  to the next frame p95 ${ms(each.frame95)}`);
    const verdict = limit ? `; limit for p95 ${limit} ms: ${one.p95 <= limit ? "held" : "MISSED"}` : "";
    console.log(`  ratio ${ratio.p50.toFixed(1)}x at the median, ${ratio.p95.toFixed(1)}x at the 95th percentile${verdict}`);
  }
}

/** Memory while hovering: two layers, and a budget that holds one and a half of them. */
async function soak(page) {
  const seconds = Number(asked.soak);
  const shape = asked.quick ? { images: 3, side: 8, channels: 48, layers: 2 } : { images: 16, side: 64, channels: 1280, layers: 2 };
  const budget = Math.round(1.5 * shape.images * shape.side ** 2 * (shape.channels + 24));
  const session = await page.context().newCDPSession(page);
  await page.evaluate(([s, o]) => window.bench.soak(s, o), [shape, { ...options, budget }]);
  const samples = [];
  const start = Date.now();
  const step = Math.min(5, seconds / 10) * 1000;
  while (Date.now() - start < seconds * 1000) {
    await new Promise((resolve) => setTimeout(resolve, step));
    await session.send("HeapProfiler.collectGarbage");
    const state = await page.evaluate(() => window.bench.state());
    const heap = await page.evaluate(() => performance.memory.usedJSHeapSize);
    samples.push({ second: (Date.now() - start) / 1000, heap, resident: resident(browser.process().pid), ...state });
  }
  await page.evaluate(() => window.bench.soak(null));
  const third = Math.ceil(samples.length / 3);
  const mean = (list, key) => list.reduce((sum, sample) => sum + sample[key], 0) / list.length;
  const growth = (key) => mean(samples.slice(-third), key) - mean(samples.slice(third, 2 * third), key);
  const held = samples.every(({ usage }) => usage.bytes <= usage.budget);
  const last = samples.at(-1);
  found.soak = { seconds, shape, budget, hovers: last.hovers, layers: last.layers, slow: last.slow, heap: growth("heap"), resident: growth("resident"), held, samples };
  console.log(`${last.hovers} hovers in ${seconds} s, ${last.layers} changes of layer, ${last.slow} hovers above 33 ms (loading included)`);
  console.log(`packs held ${mb(last.usage.bytes)} of ${mb(budget)}; budget ${held ? "kept at every sample" : "EXCEEDED"}`);
  console.log(`last third against the second: heap ${mb(growth("heap"))}, all processes ${mb(growth("resident"))} (resident ${mb(last.resident)})`);
}

/** The page as it is shipped, over a bundle of noise: from the mouse event to the last map drawn, all of the page included. */
async function wholePage(client) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const vite = await createVite({ root, configFile: false, appType: "custom", logLevel: "error", server: { middlewareMode: true } });
  const data = await vite.ssrLoadModule("/bench/data.ts");
  found.page = [];
  for (const shape of shapesAsked()) {
    const server = await noiseServer(join(root, "../src/denoscope/explorer/static"), data, shape);
    const page = await client.newPage({ viewport: { width: 1440, height: 900 } });
    page.on("pageerror", (error) => console.error(error));
    await page.addInitScript(watchMaps);
    const manifest = data.manifestOf(shape);
    const asking = performance.now();
    const view = new URLSearchParams([["v", "1"], ["layer", "layer0"], ...manifest.images.map(({ id }) => ["image", id]), ["cell", "image0@1,1"]]);
    await page.goto(`http://127.0.0.1:${server.address().port}/#${view}`);
    const ready = "[data-testid=grid] canvas[data-ready]";
    await page.waitForFunction(([css, n]) => document.querySelectorAll(css).length >= n, [ready, shape.images], { timeout: 300_000 });
    const readyAfter = performance.now() - asking;
    const boxes = (await Promise.all((await page.locator(ready).all()).map((canvas) => canvas.boundingBox()))).filter((box) => box && box.y + box.height < 880);
    await page.evaluate(() => window.watched.splice(0));
    const hovers = Number(asked.hovers ?? (asked.quick ? 10 : 200));
    for (let i = 0; i < hovers; i++) {
      const box = boxes[(i * 7) % boxes.length];
      await page.mouse.move(box.x + box.width * ((i * 0.618) % 1), box.y + box.height * ((i * 0.755) % 1));
      await page.waitForTimeout(shape.side > 32 ? 150 : 80);
    }
    const seen = (await page.evaluate(() => window.watched)).filter(({ maps }) => maps >= shape.images);
    const times = seen.map(({ start, last }) => last - start).sort((a, b) => a - b);
    const at = (q) => times[Math.min(times.length - 1, Math.ceil(q * times.length) - 1)] ?? NaN;
    const limit = LIMITS[shape.side];
    const session = await page.context().newCDPSession(page);
    await session.send("HeapProfiler.collectGarbage");
    const memory = { heap: await page.evaluate(() => performance.memory.usedJSHeapSize), resident: resident(browser.process().pid) };
    found.page.push({ shape, limit, moves: hovers, answered: times.length, p50: at(0.5), p95: at(0.95), ready: readyAfter, ...memory });
    const verdict = limit ? `; limit for p95 ${limit} ms: ${at(0.95) <= limit ? "held" : "MISSED"}` : "";
    console.log(`the page, ${shape.images} images of ${shape.side} x ${shape.side} x ${shape.channels}: ${times.length} of ${hovers} moves redrew all maps,`);
    console.log(`  all maps ${ms(readyAfter)} after the address was entered; heap ${mb(memory.heap)}, all processes ${mb(memory.resident)}`);
    console.log(`  event to last map: p50 ${ms(at(0.5))}  p95 ${ms(at(0.95))}${verdict}`);
    await page.close();
    server.close();
  }
  await vite.close();
}

/** In the page: when each mouse event came, when the last map of the grid was put on its canvas after it, and how many were. */
function watchMaps() {
  window.watched = [];
  window.addEventListener("pointermove", () => window.watched.push({ start: performance.now(), last: 0, maps: 0 }), true);
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...rest) {
    put.apply(this, rest);
    const move = window.watched.at(-1);
    if (move && this.canvas.closest("[data-testid=grid]")) [move.last, move.maps] = [performance.now(), move.maps + 1];
  };
}

/** The built page, and a bundle of noise that is made as it is asked for. */
async function noiseServer(home, data, shape) {
  const pixel = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://host").pathname;
    const send = (type, body) => response.writeHead(200, { "Content-Type": type }).end(body);
    if (path === "/bundle/manifest.json") return send("application/json", JSON.stringify(data.manifestOf(shape)));
    if (path.endsWith(".png")) return send("image/png", pixel);
    const pack = /^\/bundle\/blobs\/([0-9a-f]{8})\.safetensors$/.exec(path);
    if (pack) return send("application/octet-stream", data.packFile(data.integers(shape, parseInt(pack[1], 16)), shape.side ** 2));
    const file = join(home, path.replace(/\/$/, "/index.html"));
    if (!file.startsWith(home) || !existsSync(file)) return response.writeHead(404).end();
    return send(MIME[extname(file)] ?? "application/octet-stream", readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function shapesAsked() {
  if (asked.quick) return [{ images: 3, side: 8, channels: 48 }];
  const [images, channels] = [Number(asked.images), Number(asked.channels)];
  return asked.sides.split(",").map(Number).map((side) => ({ images, side, channels }));
}

async function firstPaint(client, url) {
  const page = await client.newPage({ viewport: { width: 1440, height: 900 } });
  const start = performance.now();
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  const map = await page
    .waitForSelector("canvas[data-ready='yes']", { timeout: 60_000, state: "attached" })
    .then(() => performance.now() - start)
    .catch(() => null);
  console.log(`${url}: first paint ${ms(paint)}, first map ${map === null ? "not within 60 s" : ms(map)} after the address was entered`);
  return { url, paint, map };
}

/** Resident bytes of a process and all below it. */
function resident(root) {
  const parents = new Map();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      parents.set(Number(name), { parent: Number(fields[1]), bytes: Number(fields[21]) * 4096 });
    } catch {
      // It has ended since the folder was listed.
    }
  }
  const below = (pid) => pid === root || (parents.has(pid) && below(parents.get(pid).parent));
  return [...parents].reduce((sum, [pid, { bytes }]) => sum + (below(pid) ? bytes : 0), 0);
}

function ms(value) {
  return `${value.toFixed(1)} ms`;
}

function mb(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
