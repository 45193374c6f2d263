/** Steering: a direction from labels, a brush, a push; what the page shows is what the server kept, and what Python makes. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import type { Steered } from '../src/ui/live';
import { python } from './hosts';
import * as on from './screen';
import { pages } from './stage';

pages(
  (stage) => {
    it('a direction is made from labels, pushed in a brushed part, and compared with the picture without', async () => {
      const { page } = stage.screen;
      await open(page, stage.screen);
      await directed(page);
      await page.getByRole('button', { name: 'Brush', exact: true }).click();
      await brushed(page, 0.1, 0.25, 0.9, 0.25);
      await page.getByTestId('region').getByText(/Acts in \d+ % of the picture/).waitFor();
      await page.getByLabel('Strength of push 1').fill('1.5');
      const run = await pushed(page);
      expect(run.ask.pushes?.[0]).toMatchObject({ edit: 'add', strength: 1.5 });
      expect(run.layers).toEqual(['before', 'after', 'control', 'mask']);
      const [inside, outside] = ['inside the brush', 'outside'].map((part) => run.moved.find(({ name }) => name.endsWith(part))!.steered.value);
      expect(inside).toBeGreaterThan(0);
      await page.getByTestId('moved').getByText('change of pixels inside the brush').waitFor();
      expect(outside).toBeGreaterThanOrEqual(0);

      // The wipe uncovers the pushed picture from the right; its slider follows the pointer.
      const shown = page.getByTestId('stage').locator('img').nth(1);
      const box = (await page.getByTestId('stage').boundingBox())!;
      await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.5 * box.height);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.2 * box.width, box.y + 0.5 * box.height, { steps: 4 });
      await page.mouse.up();
      await expect.poll(() => page.getByTestId('wipe').inputValue().then(Number)).toBeCloseTo(20, 0);
      expect(await shown.evaluate((node) => (node as HTMLElement).style.clipPath)).toContain('20');

      // The map of what moved is drawn from the very pictures: its largest value is theirs.
      await page.getByRole('button', { name: 'What moved' }).click();
      const most = page.getByTestId('stage').locator('xpath=..').locator('[data-high]').first();
      const known = Number(python(LARGEST, ...['before', 'after', 'control'].map((layer) => kept(stage.hosts.store, run.id, layer))));
      await expect.poll(() => most.innerText().then(Number)).toBeCloseTo(known, 0);

      // The program that is handed out makes the same picture.
      await page.getByRole('button', { name: 'Copy as Python' }).click();
      const script = await on.clipboard(page);
      const folder = mkdtempSync(join(tmpdir(), 'denoscope-again-'));
      python(script.replace('"steered"', 'sys.argv[1]').replace('import', 'import sys\nimport'), folder);
      expect(readFileSync(join(folder, '000-with.png')).length).toBeGreaterThan(0);
      expect(python(SAME, join(folder, '000-with.png'), kept(stage.hosts.store, run.id, 'after')).trim()).toBe('True');
    });

    it('runs stay: after a reload they are there, are taken over, and can be removed', async () => {
      const { page, errors } = stage.screen;
      await open(page, stage.screen);
      await directed(page);
      await page.getByLabel('Prompt', { exact: true }).fill('a photo of a blue fish');
      const run = await pushed(page);
      await on.settled(page);
      await page.reload();
      await page.locator(`[data-run="${run.id}"]`).waitFor();
      await page.getByLabel('Prompt', { exact: true }).fill('something else');
      await page.getByText('made with another prompt').waitFor();
      await page.locator(`[data-run="${run.id}"] .run`).click();
      expect(await page.getByLabel('Prompt', { exact: true }).inputValue()).toBe('a photo of a blue fish');
      await page.locator(`[data-run="${run.id}"]`).getByRole('button', { name: 'Remove this run' }).click();
      await page.locator(`[data-run="${run.id}"]`).waitFor({ state: 'detached' });
      expect((await runs(page)).some(({ id }) => id === run.id)).toBe(false);
      expect(errors).toEqual([]);
    });

    it('what cannot be pushed fails in one line, and the page goes on', async () => {
      const { page } = stage.screen;
      await open(page, stage.screen);
      await directed(page);
      await page.getByRole('button', { name: 'without', exact: true }).click();
      await page.getByText('Steps, guidance, number of pictures').click();
      await page.getByLabel('Guidance', { exact: true }).fill('1');
      await page.getByRole('button', { name: 'Push', exact: true }).click();
      await page.getByRole('alert').getByText(/without guidance/).waitFor();
      await page.getByRole('button', { name: 'both branches' }).click();
      await page.getByRole('button', { name: 'Only the picture' }).click();
      await page.getByText('These are the pictures without a push').waitFor();
    });

    it('an atom of a dictionary that lies elsewhere is not offered to another model', async () => {
      const { page } = stage.screen;
      await open(page, stage.screen);
      await directed(page);
      const offered = await page.locator('[data-push="0"] select option').allInnerTexts();
      expect(offered.length).toBeGreaterThan(0);
      const sources = await page.evaluate(async () => (await (await fetch('api/steer/sources')).json()) as { name: string; model: string }[]);
      for (const { name, model } of sources) expect(offered.some((text) => text.startsWith(name))).toBe(model === 'embedded' || model === '');
    });
  },
  { hosts: ['live'] },
);

pages(
  (stage) => {
    it('a static page says that steering needs the server', async () => {
      const { page } = stage.screen;
      await on.panel(stage.screen, 'steer');
      await page.getByText('Start the live page with: denoscope explore STORE').waitFor();
    });
  },
  { hosts: ['static'] },
);

const SAME = `
import sys
import numpy as np
from PIL import Image
print((np.asarray(Image.open(sys.argv[1])) == np.asarray(Image.open(sys.argv[2]))).all())
`;
const LARGEST = `
import sys
import numpy as np
from PIL import Image
before, *others = (np.asarray(Image.open(path)).astype(float) for path in sys.argv[1:])
print(max(np.abs(other - before).mean(axis=2).max() for other in others))
`;

/** Where the server keeps a run's first picture. */
const kept = (store: string, run: string, layer: string): string => join(store, '..', 'live', 'explorer', 'desk', 'steered', run, `${layer}-0.png`);

const runs = (page: Page): Promise<Steered[]> => page.evaluate(async () => (await (await fetch('api/steered')).json()) as Steered[]);

/** The view, with few steps so that it is quick. */
async function open(page: Page, screen: on.Screen): Promise<void> {
  await on.panel(screen, 'steer');
  await page.getByTestId('steer').waitFor();
  await page.getByText('Steps, guidance, number of pictures').click();
  await page.getByLabel('Steps', { exact: true }).fill('4');
  await page.getByText('Steps, guidance, number of pictures').click();
}

/** A direction from labels, as the only push. */
async function directed(page: Page): Promise<void> {
  while ((await page.locator('[data-push]').count()) > 0) await page.locator('[data-push]').first().getByRole('button', { name: /Take push/ }).click();
  await page.getByText('A direction from labels').click();
  await page.getByLabel('Fact', { exact: true }).selectOption('background');
  await page.getByRole('button', { name: 'Make this direction' }).click();
  await page.locator('[data-push="0"]').waitFor();
}

/** A stroke over the picture, from one place to another in shares of it. */
async function brushed(page: Page, x: number, y: number, toX: number, toY: number): Promise<void> {
  const stage = page.getByTestId('stage');
  await stage.evaluate((node) => node.scrollIntoView({ block: 'center', behavior: 'instant' }));
  const box = (await stage.boundingBox())!;
  await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + toX * box.width, box.y + toY * box.height, { steps: 8 });
  await page.mouse.up();
}

/** Pushes, and answers the run once the page shows it. */
async function pushed(page: Page): Promise<Steered> {
  const before = new Set((await runs(page)).map(({ id }) => id));
  await page.getByRole('button', { name: 'Push', exact: true }).click();
  await expect.poll(async () => (await runs(page)).some(({ id }) => !before.has(id)), { timeout: 280_000 }).toBe(true);
  const made = (await runs(page)).find(({ id }) => !before.has(id))!;
  await page.locator(`[data-run="${made.id}"].on`).waitFor();
  return made;
}
