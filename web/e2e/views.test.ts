/** Each view, used as a person would, with what it says held to what was measured. */
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Locator } from 'playwright-core';
import type { components } from '../src/core/api';
import { agreement } from '../src/ui/marks.svelte';
import type { Mark, Triplet } from '../src/ui/live';
import { number } from '../src/ui/words';
import { python } from './hosts';
import * as on from './screen';
import { pages } from './stage';

pages((stage) => {
  const { images, two } = stage;

  it('every number of a report stands beside its interval and leads to the activations of its recipe', async () => {
    const { page, manifest } = stage.screen;
    const entry = manifest.reports.find(({ title }) => title === 'probe');
    const report = JSON.parse(readFileSync(join(stage.hosts.site, 'bundle', entry!.data), 'utf8')) as Told;
    await on.panel(stage.screen, 'reports');
    await page.getByLabel('Report', { exact: true }).selectOption(entry!.name);
    const rows = page.locator('[data-score]');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(report.scores.length);
    for (const score of report.scores) {
      const row = page.locator(`[data-score="${score.name}"]`);
      const text = await row.innerText();
      for (const shown of [score.value, score.low, score.high]) expect(text, score.name).toContain(number(shown));
      expect(text).toContain(String(score.n));
      expect(await row.locator('[data-recipe]').getAttribute('data-recipe')).toBe(report.inputs.recipe);
    }
    await page.getByLabel('Find a score').fill('majority');
    await page.waitForFunction(() => document.querySelectorAll('[data-score]').length === 1);
    await rows.first().locator('[data-recipe]').click();
    await on.mapped(page);
    const shown = await page.locator('[data-column]').evaluateAll((nodes) => [...new Set(nodes.map((node) => (node as HTMLElement).dataset.column))]);
    const layers = shown.map((id) => manifest.layers.find((layer) => layer.id === id));
    for (const layer of layers) expect([layer?.recipe, layer?.site]).toEqual([report.inputs.recipe, report.parameters.site]);
  });

  it('a whole report opens on the page, and closes', async () => {
    const { page } = stage.screen;
    await on.panel(stage.screen, 'reports');
    await page.getByLabel('Report', { exact: true }).selectOption(stage.screen.manifest.reports.find(({ title }) => title === 'probe')!.name);
    await page.getByRole('button', { name: 'Open the whole report' }).click();
    const frame = page.frameLocator('dialog iframe');
    await frame.getByText('accuracy', { exact: false }).first().waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  });

  it('odd one out: answers are judged by every column, kept over a reload, and handed out', async () => {
    const { page } = stage.screen;
    const layers = await two();
    await on.panel(stage.screen, 'oddone');
    const trio = page.locator('.trio button:not([disabled])');
    await trio.first().waitFor();
    const titles = await page.locator('.trio button').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label')?.replace(/^\d (.*) is the odd one$/, '$1') ?? ''));
    const ids = await page.locator('.trio button').evaluateAll((nodes) => nodes.map((node) => (node as HTMLElement).dataset.choice));
    await trio.nth(1).click();
    await verdicts(page.locator('main tbody tr'), layers.length, titles, 1);
    await page.getByRole('button', { name: 'Next three' }).click();
    await trio.first().waitFor();
    await page.keyboard.press('3');
    await verdicts(page.locator('main tbody tr'), layers.length, [], 2);
    await on.settled(page);
    await page.reload();
    await page.getByText('2 answers kept').waitFor();
    await trio.first().waitFor();
    const kept = JSON.parse(await on.downloaded(page, () => page.getByRole('button', { name: 'Download answers' }).click())) as Triplet[];
    expect(kept.length).toBe(2);
    expect(kept.map(({ images: shown, odd }) => shown.indexOf(odd))).toEqual([1, 2]);
    expect(kept[0]!.images).toEqual(ids);
  });

  it('a direction is painted, named by its accuracy, and saved', async () => {
    const { page } = stage.screen;
    const [first] = await two();
    await on.panel(stage.screen, 'probe');
    await page.getByRole('group', { name: 'Brush' }).waitFor();
    await page.locator(`[data-picture="${images()[0]}"]`).waitFor();
    const places = await on.places(page, 'main', `[data-picture="${images()[0]}"]`);
    await on.clicks(stage.screen, images()[0]!, first!, [[10, 2], [10, 5], [11, 8]]);
    await page.getByRole('button', { name: '− against' }).click();
    await on.clicks(stage.screen, images()[0]!, first!, [[0, 2], [0, 5], [1, 8]]);
    await page.getByText('3 for, 3 against').waitFor();
    await page.getByText(/% right, leave/).first().waitFor();
    expect(await places(), 'places of the picture while it is painted').toHaveLength(1);
    const act = stage.name === 'static' ? 'Download' : 'Save';
    const button = page.getByRole('button', { name: `${act} direction at ${first!.site} at t = ${first!.level}` });
    if (stage.name === 'static') {
      const saved = JSON.parse(await on.downloaded(page, () => button.click())) as { vector: string; layer: string; positive: unknown[]; negative: unknown[] };
      expect([saved.layer, saved.positive.length, saved.negative.length]).toEqual([first!.id, 3, 3]);
      expect(Buffer.from(saved.vector, 'base64').length).toBe(4 * first!.channels);
      return;
    }
    await button.click();
    const script = await page.locator('dialog textarea').inputValue();
    expect(script).toContain(`# acts at ${first!.site}`);
    const folder = mkdtempSync(join(tmpdir(), 'denoscope-steered-'));
    python(script.replace('[push])', '[push], steps=4)').replace('"steered"', 'sys.argv[1]').replace('import', 'import sys\nimport'), folder);
    expect(readdirSync(folder).some((name) => name.endsWith('.png'))).toBe(true);
  });

  it('dense correspondence: swapping, only mutual ones, and the error against the mirrored cell', async () => {
    const { page } = stage.screen;
    await two();
    await on.panel(stage.screen, 'matches');
    const caption = page.locator('main figcaption', { hasText: /score [\d.]+, \d+ % mutual/ }).first();
    const plain = await caption.innerText();
    const whole = await coloured(page.locator('[data-testid=grid] canvas').first());
    await page.getByLabel('only mutual matches').check();
    const share = Number(/(\d+) % mutual/.exec(plain)?.[1]) / 100;
    await expect.poll(async () => (await coloured(page.locator('[data-testid=grid] canvas').first())) / whole).toBeCloseTo(share, 1);
    await page.getByLabel('second is the first mirrored').check();
    await page.getByText(/mirror off by [\d.]+ cells/).first().waitFor();
    await page.getByLabel('second is the first mirrored').uncheck();
    await expect.poll(() => page.getByText(/mirror off by/).count()).toBe(0);
    const selects = page.locator('main select').first();
    const before = await selects.inputValue();
    await page.getByRole('button', { name: 'Swap' }).click();
    await expect.poll(() => selects.inputValue()).not.toBe(before);
  });

  it('two models stand side by side, in the maps, the table and the script', async () => {
    const { page, manifest } = stage.screen;
    const models = [...new Set(manifest.layers.map(({ model }) => model))].filter((model) => model !== on.MODEL);
    const layers = [on.layer(stage.screen, 'up.1', '50'), on.layer(stage.screen, 'up.1', '50', models[0])];
    await on.show(stage.screen, on.hash(layers, images(), `${images()[0]}@3,4`, { pinned: 'true' }));
    await on.answered(page, `${images()[0]}@3,4`);
    expect(await page.getByLabel('Model', { exact: true }).evaluateAll((nodes) => nodes.map((node) => (node as HTMLSelectElement).value).slice(0, 2))).toEqual(layers.map(({ model }) => model));
    const [one, other] = await Promise.all(layers.map((layer) => on.caption(page, layer.id, images()[1]!)));
    expect(one).not.toEqual(other);
    await on.choose(page, 'Copy as Python');
    const printed = python(await on.clipboard(page), stage.hosts.store).trim().split('\n');
    expect(printed.length).toBe(2 * images().length);
    const means = printed.map((line) => Number(/mean (-?[\d.]+)/.exec(line)?.[1]));
    expect(Math.abs(means[1]! - one!.mean)).toBeLessThan(0.01);
    expect(Math.abs(means[1 + images().length]! - other!.mean)).toBeLessThan(0.01);
    await page.getByLabel('Model', { exact: true }).nth(1).selectOption(on.MODEL);
    await page.locator(`[data-column]`).nth(1).getByLabel('Model', { exact: true }).waitFor();
  });

  it('attention: the shares of all words and of no word at a cell add up to one', async () => {
    const { page, manifest } = stage.screen;
    const id = images()[0]!;
    await two();
    await on.panel(stage.screen, 'attention');
    await on.mapped(page);
    const panels = manifest.panels.filter(({ kind }) => kind === 'attention');
    expect(await page.getByLabel('Where').locator('option').allInnerTexts()).toEqual(panels.map(({ name }) => name));
    const words = await page.getByRole('group', { name: 'Word' }).getByRole('button').allInnerTexts();
    expect(words).toEqual(['all words', 'a', 'photo', 'of', '{category}', 'no word']);
    const box = (await page.locator(`[data-picture="${id}"]`).boundingBox())!;
    await page.mouse.move(box.x + 0.4 * box.width, box.y + 0.6 * box.height);
    const captions = page.locator(`[data-row="${id}"] figcaption[data-caption]`);
    await expect.poll(async () => (await captions.allInnerTexts()).every((text) => text.startsWith('here'))).toBe(true);
    const shares = (await captions.allInnerTexts()).map((text) => Number(/here ([\d.]+)/.exec(text)?.[1]));
    expect(shares.length).toBe(words.length - 1);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 1);
    await page.getByRole('button', { name: '{category}' }).click();
    await expect.poll(() => captions.count()).toBe(1);
    await page.getByLabel('Where').selectOption(panels[1]!.name);
    await page.waitForFunction(() => location.hash.includes('attention.name='));
  });

  it('two people mark the same picture, and their agreement is told', async () => {
    const { page } = stage.screen;
    const [first] = await two();
    await on.show(stage.screen, on.hash([first!], images(), `${images()[0]}@3,4`));
    await on.panel(stage.screen, 'annotate');
    await on.mapped(page);
    const marksOf = async (person: string, cells: [number, number][]): Promise<void> => {
      await page.getByLabel('Annotator').fill(person);
      await on.clicks(stage.screen, images()[0]!, first!, cells);
      await page.getByText(`${cells.length} marks by ${person}`).waitFor();
    };
    await marksOf('ada', [[2, 2], [2, 4], [5, 5]]);
    await marksOf('bo', [[2, 4], [5, 5], [9, 9], [9, 10]]);
    const row = page.getByRole('row', { name: /ada and bo/ });
    await row.waitFor();
    const pack = first!.packs[images()[0]!]!;
    const told = expected(pack.rows * pack.cols);
    expect(await row.locator('td').allInnerTexts()).toEqual(['ada and bo', number(told), '2', '1 + 2', `${pack.rows * pack.cols} cells, 1 maps`]);
    if (stage.name === 'live') {
      const { pairs } = await page.evaluate(async () => (await (await fetch('api/annotations/agreement')).json()) as Server['Agreement']);
      expect(pairs.find(({ annotators }) => annotators.join() === 'ada,bo')?.kappa).toBeCloseTo(told, 6);
    } else {
      const marks = JSON.parse(await on.downloaded(page, () => page.getByRole('button', { name: 'Download', exact: true }).click())) as Mark[];
      expect(agreement(marks, 'ada', 'bo').kappa).toBeCloseTo(told, 9);
    }
  });
});

type Server = components['schemas'];

interface Told {
  scores: { name: string; value: number; low: number; high: number; n: number }[];
  inputs: { recipe: string };
  parameters: { site: string };
}

/** Cohen's kappa of 3 and 4 marks, 2 of them shared, among n cells. */
function expected(n: number): number {
  const observed = (2 + (n - 5)) / n;
  const chance = (3 * 4 + (n - 3) * (n - 4)) / n ** 2;
  return (observed - chance) / (1 - chance);
}

/** Every column has named its odd one, and counted it. */
async function verdicts(rows: Locator, columns: number, titles: string[], rounds: number): Promise<void> {
  expect(await rows.count()).toBe(columns);
  for (const row of await rows.all()) {
    await row.getByText(new RegExp(`\\d of ${rounds}:`)).waitFor();
    const odd = (await row.locator('td').nth(1).innerText()).replace(/: as you$/, '');
    if (titles.length > 0) expect(titles).toContain(odd);
  }
}

/** Cells of a map that are painted at all. */
const coloured = (canvas: Locator): Promise<number> =>
  canvas.evaluate((node) => {
    const { width, height } = node as HTMLCanvasElement;
    const data = (node as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height).data;
    return data.filter((value, at) => at % 4 === 3 && value > 0).length;
  });
