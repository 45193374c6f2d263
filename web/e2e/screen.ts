/** What a test does and reads on the page, in the page's own words. */
import { expect } from 'vitest';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Download, Page } from 'playwright-core';
import type { LayerEntry, Manifest } from '../src/core/types';

export interface Screen {
  page: Page;
  manifest: Manifest;
  /** Errors that the page has thrown or logged. */
  errors: string[];
}

const WAIT = Number(process.env.E2E_WAIT ?? 90_000);

/** Opens the page in a fresh browser profile and waits for its first maps. */
export async function open(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Screen> {
  const size = { width: 1440, height: 900 };
  const context = await browser.newContext({ viewport: size, permissions: ['clipboard-read', 'clipboard-write'], acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  // A static host has no api/version: the browser itself reports that one answer.
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.includes('api/version')) errors.push(message.text());
  });
  await page.goto(address);
  await mapped(page);
  return { page, manifest: await manifestOf(page), errors };
}

/** What the page's bundle holds now. */
export const manifestOf = (page: Page): Promise<Manifest> => page.evaluate(async () => (await (await fetch('bundle/manifest.json')).json()) as Manifest);

/** All maps on the screen are painted. */
export async function mapped(page: Page): Promise<void> {
  await page.locator('[data-testid=grid] canvas[data-ready]').first().waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll('[data-testid=grid] canvas')].every((canvas) => (canvas as HTMLElement).dataset.ready));
}

/** The address holds the view, and the view has rested. */
export async function settled(page: Page): Promise<string> {
  await page.waitForFunction(() => {
    const told = document.querySelector<HTMLElement>('[data-settled]')?.dataset.settled;
    const seen = location.hash.replace(/^#/, '');
    const [last, since] = ((window as { rest?: [string, number] }).rest ??= ['', 0]);
    if (last !== seen) (window as { rest?: [string, number] }).rest = [seen, performance.now()];
    return told === seen && last === seen && performance.now() - since > 500;
  });
  return await page.evaluate(() => location.hash.replace(/^#/, ''));
}

/** A fresh view: these layers, these images, nothing else. */
export function hash(layers: LayerEntry[], images: string[], cell: string, extra: Record<string, string> = {}): string {
  const parts = new URLSearchParams({ v: '1', ...extra, cell });
  for (const layer of layers) parts.append('layer', layer.id);
  for (const image of images) parts.append('image', image);
  return `#${parts.toString()}`;
}

export async function show(screen: Screen, wanted: string): Promise<void> {
  await screen.page.evaluate((to) => (location.hash = to), wanted);
  await mapped(screen.page);
}

export const MODEL = 'embedded';

export function layer({ manifest }: Screen, site: string, level: string, model = MODEL): LayerEntry {
  const found = manifest.layers.find((one) => one.model === model && one.site === site && one.level === level);
  if (!found) throw new Error(`no layer ${site} at ${level}`);
  return found;
}

/** Middle of a cell on the bare picture, in window pixels. */
export async function middle(screen: Screen, image: string, at: LayerEntry, row: number, col: number): Promise<{ x: number; y: number }> {
  const face = screen.page.locator(`[data-picture="${image}"]`);
  await face.evaluate((node) => node.scrollIntoView({ block: 'center', behavior: 'instant' }));
  const box = await face.boundingBox();
  const pack = at.packs[image];
  if (!box || !pack) throw new Error(`${image} is not on the screen`);
  return { x: box.x + ((col + 0.5) / pack.cols) * box.width, y: box.y + ((row + 0.5) / pack.rows) * box.height };
}

export async function hover(screen: Screen, image: string, at: LayerEntry, row: number, col: number): Promise<void> {
  const { x, y } = await middle(screen, image, at, row, col);
  await screen.page.mouse.move(x, y);
  await answered(screen.page, `${image}@${row},${col}`);
}

/** Clicks cells of a bare picture, one after another. */
export async function clicks(screen: Screen, image: string, at: LayerEntry, cells: [number, number][]): Promise<void> {
  for (const [row, col] of cells) {
    const { x, y } = await middle(screen, image, at, row, col);
    await screen.page.mouse.click(x, y);
  }
}

/** Watches, frame by frame, how far one element lies from another; the answer tells every distance that was seen. */
export async function places(page: Page, from: string, to: string): Promise<() => Promise<string[]>> {
  await page.evaluate(
    ([one, other]) => {
      const seen = ((window as { seen?: Set<string> }).seen = new Set<string>());
      const look = (): void => {
        const [a, b] = [one, other].map((selector) => document.querySelector(selector!)?.getBoundingClientRect());
        if (a && b) seen.add(`${Math.round(b.left - a.left)},${Math.round(b.top - a.top)}`);
        requestAnimationFrame(look);
      };
      look();
    },
    [from, to],
  );
  return () => page.evaluate(() => [...((window as { seen?: Set<string> }).seen ?? [])]);
}

/** The first column's maps answer to a cell, and all columns have answered. */
export async function answered(page: Page, cell: string): Promise<void> {
  const there = page.waitForFunction((wanted) => {
    const cells = document.querySelector<HTMLElement>('[data-testid=similarity]')?.dataset.cells?.split(';') ?? [];
    return cells[0] === wanted && cells.every((one) => one !== '');
  }, cell);
  await there.catch(async () => {
    const told = await page.evaluate(() => document.querySelector<HTMLElement>('[data-testid=similarity]')?.dataset.cells ?? 'no similarity view');
    throw new Error(`the maps answer to ${told}, not to ${cell}`);
  });
}

/** Pixels of all maps as one text: equal exactly when the screen's maps are equal. */
export async function pixels(page: Page): Promise<string> {
  return await page.evaluate(() =>
    [...document.querySelectorAll<HTMLCanvasElement>('[data-testid=grid] canvas')].map((canvas) => canvas.toDataURL()).join('\n'),
  );
}

export interface Shown {
  best: number;
  mean: number;
  sd: number;
}

/** Numbers below a map. */
export async function caption(page: Page, layerId: string, image: string): Promise<Shown> {
  const face = page.locator(`[data-layer="${layerId}"][data-image="${image}"]`);
  const text = (await face.locator('xpath=following-sibling::figcaption').innerText()).replaceAll('−', '-');
  const found = /(?:max|min) (-?[\d.e-]+), mean (-?[\d.e-]+) ± ([\d.e-]+)/.exec(text);
  expect(found, `caption "${text}"`).not.toBeNull();
  return { best: Number(found?.[1]), mean: Number(found?.[2]), sd: Number(found?.[3]) };
}

export async function choose(page: Page, menu: string): Promise<void> {
  await page.getByTestId('share').click();
  await page.locator('#share-menu').getByRole('button', { name: menu }).click();
}

/** A file that the page hands out. */
export async function file(page: Page, act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: download.suggestedFilename(), bytes: await content(download) };
}

export const downloaded = async (page: Page, act: () => Promise<void>): Promise<string> => (await file(page, act)).bytes.toString('utf8');

async function content(download: Download): Promise<Buffer> {
  return readFileSync(await download.path());
}

export const clipboard = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

/** The panel's first paint: maps, a card or a game. */
export async function panel(screen: Screen, id: string): Promise<void> {
  await screen.page.locator(`[data-panel="${id}"]`).click();
  await screen.page.locator(`[data-panel="${id}"][aria-current=page]`).waitFor();
}

/** A PNG of a size, of one colour with a square on it. */
export async function picture(page: Page, width: number, height: number): Promise<Buffer> {
  const data = await page.evaluate(
    ([w, h]) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no canvas');
      context.fillStyle = '#3a7';
      context.fillRect(0, 0, w ?? 0, h ?? 0);
      context.fillStyle = '#e42';
      context.fillRect((w ?? 0) / 4, (h ?? 0) / 4, 30, 30);
      return canvas.toDataURL('image/png').split(',')[1] ?? '';
    },
    [width, height],
  );
  return Buffer.from(data, 'base64');
}

/** Size and number of colours of a picture, as the browser draws it. */
export async function drawn(page: Page, bytes: Buffer, type: string): Promise<{ width: number; height: number; colours: number }> {
  return await page.evaluate(
    async ([data, kind]) => {
      const image = new Image();
      image.src = `data:${kind};base64,${data}`;
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: image.naturalWidth, height: image.naturalHeight });
      const context = canvas.getContext('2d')!;
      context.drawImage(image, 0, 0);
      const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      return { width: canvas.width, height: canvas.height, colours: new Set(pixels).size };
    },
    [bytes.toString('base64'), type] as const,
  );
}
