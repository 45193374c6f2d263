/** The view Atoms, used as a person would, with what it says held to what Python measured. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import type { AtomsFile } from '../src/core/atoms';
import { number } from '../src/ui/words';
import { python } from './hosts';
import * as on from './screen';
import { pages, type Stage } from './stage';

pages((stage) => {
  it('lists all atoms, the largest first, with the images in which they are strongest', async () => {
    const { page } = stage.screen;
    const told = await opened(stage);
    await page.getByText(`${told.count} of ${told.count} atoms`).waitFor();
    await page.getByLabel('Sort by').selectOption('density');
    const truth = measured(stage, `print(*sorted(numbers['density'].tolist(), reverse=True)[:24])`).split(' ').map(Number);
    const cards = page.locator('[data-atom]');
    await expect.poll(() => cards.first().innerText()).toContain(`${number(100 * truth[0]!)} % of cells`);
    const shown = (await cards.allInnerTexts()).map((text) => Number(/([\d.]+) % of cells/.exec(text)?.[1]));
    expect(shown).toEqual(truth.map((value) => Number(number(100 * value))));
    const first = Number(await cards.first().getAttribute('data-atom'));
    const top = measured(stage, `print(*[panel.images[k].title for k in numbers['top.image'][${first}][:5] if k >= 0], sep=';')`);
    expect(await cards.first().locator('img').evaluateAll((nodes) => nodes.map((node) => (node as HTMLImageElement).alt))).toEqual(top.split(';'));
    await cards.first().locator('canvas[data-ready]').first().waitFor();
    await page.getByRole('button', { name: /^Show \d+ more$/ }).click();
    await expect.poll(() => cards.count()).toBe(48);
  });

  it('an atom has a page: its numbers, neighbours, and a way back; the address leads there', async () => {
    const { page } = stage.screen;
    const told = await opened(stage);
    await choose(page, 7);
    const sheet = page.getByTestId('atom-page');
    const truth = JSON.parse(
      measured(stage, `import json\nprint(json.dumps({k: numbers[k][7].tolist() for k in ('density', 'density.error', 'images', 'largest', 'near', 'beside', 'beside.phi')}))`),
    ) as Record<string, number> & { near: number[]; beside: number[] };
    const text = await sheet.innerText();
    expect(text).toContain(`active in ${number(100 * truth['density']!)} % ± ${number(200 * truth['density.error']!)} % of the cells of ${number(truth['images']!)} of ${told.images.length} images`);
    expect(text).toContain(`${number(truth['largest']!)} at most`);
    const listed = async (kind: string): Promise<number[]> => (await sheet.getByTestId(kind).locator('.id').allInnerTexts()).map((id) => Number(id.slice(1)));
    expect(await listed('near')).toEqual(truth.near.filter((atom) => atom >= 0));
    expect(await listed('beside')).toEqual(truth.beside.filter((atom) => atom >= 0));
    expect(await page.locator('.levels .small.number').count()).toBe(told.levels.length);
    await sheet.getByTestId('near').getByRole('button').first().click();
    await page.locator(`[data-shown="${truth.near[0]}"]`).waitFor();
    await on.settled(page);
    await page.reload();
    await page.locator(`[data-shown="${truth.near[0]}"]`).waitFor();
    await page.getByRole('button', { name: '← All atoms' }).click();
    await page.getByTestId('atoms').waitFor();
  });

  it('a cell below the pointer names its strongest atoms, on pictures, maps and in the list', async () => {
    const { page } = stage.screen;
    const told = await opened(stage);
    const image = stage.images()[0]!;
    const here = page.getByTestId('atoms-here');
    const layer = on.layer(stage.screen, 'up.1', '50');
    const [row, col] = [5, 8];
    const { x, y } = await on.middle(stage.screen, image, layer, row, col);
    await page.mouse.move(x, y);
    const cell = row * told.images.find(({ id }) => id === image)!.cols + col;
    const truth = measured(stage, `codes = shown_codes(shown.blobs, panel, ${JSON.stringify(image)})\na, b = codes.starts[${cell}], codes.starts[${cell} + 1]\nprint(*codes.atoms[a:b].tolist())`);
    await expect.poll(async () => (await here.locator('.id').allInnerTexts()).map((id) => id.slice(1)).join(' ')).toBe(truth);
    expect(await here.innerText()).toContain(`row ${row}, column ${col}`);
    await here.getByRole('button').first().click();
    await page.locator(`[data-shown="${truth.split(' ')[0]}"]`).waitFor();
    const map = page.locator(`[data-layer="atom"][data-image="${image}"]`);
    await map.locator('canvas[data-ready]').waitFor();
    const box = (await map.boundingBox())!;
    await page.mouse.move(box.x + 2, box.y + 2);
    await here.getByText('row 0, column 0').waitFor();
    const strongest = page.getByTestId('atom-page').locator('.pictures .face').first();
    const top = Number(measured(stage, `print(numbers['top.cell'][${truth.split(' ')[0]}][0])`));
    await strongest.scrollIntoViewIfNeeded();
    const face = (await strongest.boundingBox())!;
    const first = told.images[Number(measured(stage, `print(numbers['top.image'][${truth.split(' ')[0]}][0])`))]!;
    await page.mouse.move(face.x + (((top % first.cols) + 0.5) / first.cols) * face.width, face.y + ((Math.floor(top / first.cols) + 0.5) / first.rows) * face.height);
    await here.getByText(`row ${Math.floor(top / first.cols)}, column ${top % first.cols}`).waitFor();
    expect(await here.locator(`[data-here="${truth.split(' ')[0]}"]`).count()).toBe(1);
  });

  it('every other view with maps names the atoms of its cell in one line, which leads to their page', async () => {
    const { page, manifest } = stage.screen;
    await stage.two();
    const told = await fileOf(page, manifest.panels.find(({ kind }) => kind === 'atoms')!.file);
    const image = stage.images()[1]!;
    await on.hover(stage.screen, image, on.layer(stage.screen, 'up.1', '50'), 2, 7);
    const cell = 2 * told.images.find(({ id }) => id === image)!.cols + 7;
    const truth = measured(stage, `codes = shown_codes(shown.blobs, panel, ${JSON.stringify(image)})\na = codes.starts[${cell}]\nprint(*codes.atoms[a:codes.starts[${cell} + 1]][:6].tolist())`);
    const line = page.getByTestId('atoms-line');
    await expect.poll(async () => (await line.locator('.id').allInnerTexts()).map((id) => id.slice(1)).join(' ')).toBe(truth);
    await on.panel(stage.screen, 'norms');
    await on.mapped(page);
    await line.waitFor();
    await line.getByRole('button').first().click();
    await page.locator(`[data-shown="${truth.split(' ')[0]}"]`).waitFor();
  });

  it('finds atoms by what they are called, by number, and says when there are none', async () => {
    const { page } = stage.screen;
    const told = await opened(stage);
    const fact = Object.keys(told.texts).find((name) => !['word', "judge's words"].includes(name))!;
    const [value] = told.texts[fact]!;
    const find = page.getByLabel('Find atoms');
    await find.fill(`${fact}:${value}`);
    const count = told.texts[fact]!.filter((one) => one.includes(value!)).length;
    await page.getByText(`${count} of ${told.count} atoms`).waitFor();
    await find.fill('#9');
    await page.getByText(`1 of ${told.count} atoms`).waitFor();
    expect(await page.locator('[data-atom]').getAttribute('data-atom')).toBe('9');
    await find.fill('zebra crossing');
    await page.getByText('No atom is called that.').waitFor();
  });

  it('a painted region lists the atoms that are active there and not elsewhere', async () => {
    const { page } = stage.screen;
    const told = await opened(stage);
    const image = stage.images()[0]!;
    const layer = on.layer(stage.screen, 'up.1', '50');
    await page.getByRole('button', { name: '+ here' }).click();
    const cells: [number, number][] = [[5, 5], [5, 6], [6, 5]];
    await on.clicks(stage.screen, image, layer, cells);
    await page.getByTestId('region').getByText('3 painted cells').waitFor();
    const cols = told.images.find(({ id }) => id === image)!.cols;
    const truth = measured(
      stage,
      `import numpy as np
codes = shown_codes(shown.blobs, panel, ${JSON.stringify(image)})
mine = np.stack([codes.of(a)[${JSON.stringify(cells.map(([row, col]) => row * cols + col))}] for a in range(panel.count)])
every = np.stack([np.concatenate([shown_codes(shown.blobs, panel, i.id).of(a) for i in panel.images]) for a in range(panel.count)]) > 0
here, beyond = (mine > 0).mean(axis=1), (every.sum(axis=1) - (mine > 0).sum(axis=1)) / (every.shape[1] - 3)
order = sorted(np.flatnonzero(here > 0).tolist(), key=lambda a: (beyond[a] - here[a], -mine[a].mean()))
print(*order)`,
    );
    const shown = async (): Promise<string> => (await page.locator('[data-atom]').evaluateAll((nodes) => nodes.map((node) => (node as HTMLElement).dataset.atom))).join(' ');
    await expect.poll(shown).toBe(truth);
    await page.waitForFunction(() => location.hash.includes('atoms.painted='));
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText(`${told.count} of ${told.count} atoms`).waitFor();
  });

  it('atoms of ITDA show where they were born', async () => {
    const { page, manifest } = stage.screen;
    await opened(stage);
    const itda = manifest.panels.find(({ kind, name }) => kind === 'atoms' && name.startsWith('itda'))!;
    await page.getByLabel('Dictionary', { exact: true }).selectOption(itda.name);
    await choose(page, 3);
    const birth = page.getByRole('img', { name: 'Birthplace' });
    await birth.waitFor();
    expect(await birth.evaluate((node) => getComputedStyle(node).backgroundImage)).toMatch(/^url\("blob:/);
    const told = await fileOf(page, itda.file);
    expect(await page.getByTestId('atom-page').innerText()).toContain(`cell ${told.births!.cells[3]}, timestep 50`);
  });
});

/** Opens the view on the first pictures; answers what its first dictionary's file says. */
async function opened(stage: Stage): Promise<AtomsFile> {
  const { page, manifest } = stage.screen;
  await stage.two();
  await on.panel(stage.screen, 'atoms');
  await page.getByTestId('atoms').waitFor();
  return fileOf(page, manifest.panels.find(({ kind }) => kind === 'atoms')!.file);
}

const fileOf = (page: Page, file: string): Promise<AtomsFile> => page.evaluate(async (name) => (await (await fetch(`bundle/${name}`)).json()) as AtomsFile, file);

async function choose(page: Page, atom: number): Promise<void> {
  await page.getByLabel('Find atoms').fill(`#${atom}`);
  await page.locator(`[data-atom="${atom}"] .head`).click();
  await page.locator(`[data-shown="${atom}"]`).waitFor();
}

/** What Python prints of the bundle's first dictionary. */
function measured(stage: Stage, script: string): string {
  const head = `import sys
from denoscope.explorer.bundle.atoms import known_atoms, numbers_of, shown_codes
from denoscope.explorer.bundle.reader import Bundle
shown = Bundle(sys.argv[1])
panel = known_atoms(shown.blobs, shown.manifest.panels)[0]
numbers = numbers_of(shown.blobs, panel)
`;
  return python(head + script, join(stage.hosts.site, 'bundle')).trim();
}

