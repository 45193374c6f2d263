/** Two dictionaries side by side: what the page says of them is what numpy finds in the bundle's files. */
import { expect, it } from 'vitest';
import { python } from './hosts';
import * as on from './screen';
import { pages } from './stage';

const TRUTH = `
import sys
import numpy as np
from pathlib import Path
from denoscope.explorer.bundle.reader import Bundle
from denoscope.explorer.bundle.atoms import AtomsPanel, directions_of, shown_codes
shown = Bundle(Path(sys.argv[1]) / "bundle")
panels = [AtomsPanel.from_json(shown.blobs.get(p.file)) for p in shown.manifest.panels if p.kind == "atoms"]
for panel in panels:
    left = sum(float(np.sum(shown_codes(shown.blobs, panel, one.id).left)) for one in panel.images)
    print(left / panel.cells / panel.power)
a, b = (directions_of(shown.blobs, panel)["atoms"].astype(np.float64) for panel in panels)
a, b = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (a, b))
cosines = np.abs(a @ b.T)
print(cosines.max(axis=1).mean())
print(sum(cosines[:, j].argmax() == i for i, j in enumerate(cosines.argmax(axis=1))))
`;

pages((stage) => {
  it('says what each leaves unexplained and which atoms match, as numpy does', async () => {
    const { page } = stage.screen;
    await on.panel(stage.screen, 'twins');
    const table = page.getByTestId('twins');
    await table.getByText('FVU').waitFor();
    await expect.poll(() => table.innerText(), { timeout: 120_000 }).toMatch(/FVU\)\s+0\.\d+ \[/);
    const [first, second, near, matched] = python(TRUTH, stage.hosts.site).trim().split('\n').map(Number);
    const told = await table.innerText();
    const fvu = /FVU\)\s+([\d.]+) \[([\d.]+), ([\d.]+)\]\s+([\d.]+) \[/.exec(told)!;
    expect(Number(fvu[1])).toBeCloseTo(first!, 2);
    expect(Number(fvu[4])).toBeCloseTo(second!, 2);
    expect(Number(fvu[2])).toBeLessThanOrEqual(Number(fvu[1]));
    expect(Number(/nearest in the other, mean\s+([\d.]+)/.exec(told)![1])).toBeCloseTo(near!, 2);
    expect(Number(/other's nearest\s+(\d+)/.exec(told)![1])).toBe(matched);
  });

  it('a pair shows where both of its atoms are active, and is in the address', async () => {
    const { page } = stage.screen;
    await on.panel(stage.screen, 'twins');
    const pair = page.locator('[data-pair]').first();
    await pair.waitFor();
    await page.locator('[data-column=gap]').waitFor();
    const name = (await pair.getAttribute('data-pair'))!;
    await pair.getByRole('button').click();
    await page.locator('[data-column=gap]').waitFor({ state: 'detached' });
    expect(await page.locator('[data-column]').count()).toBe(2);
    await on.settled(page);
    expect(decodeURIComponent(page.url())).toContain(`twins.pair=${name}`);
    await page.reload();
    await page.locator('.pair.on').waitFor();
    await page.getByRole('button', { name: 'Back to what is left' }).click();
    await page.locator('[data-column=gap]').waitFor();
  });
});
