/**
 * The views of the page. A view is one entry here and one component, loaded when it is first shown; it reads what it
 * needs from `useApp()`. Views of what a bundle carries beyond maps (attention, dictionaries) are entries of
 * `manifest.panels`: `kinds` names the component for each kind, which is handed its entries.
 */
import type { Component } from 'svelte';
import type { Manifest, PanelEntry } from '../../core';
import type { Live } from '../live';

/** Groups of controls at the side that mean something to a view. */
export type Controls = 'columns' | 'images' | 'measure' | 'colours' | 'marks';

export interface Panel {
  /** Name in the address: letters, digits, hyphens. */
  id: string;
  title: string;
  /** What it shows, in one sentence. */
  says: string;
  controls: Controls[];
  /** Whether the film strip stands below it. */
  strip?: boolean;
  load(): Promise<{ default: Component<Record<string, never>> }>;
  /** Why it cannot be shown here, or nothing. Called again whenever the bundle changes. */
  barred?(manifest: Manifest, live: Live | null | undefined): string | undefined;
}

/** A kind of `manifest.panels` and the component that shows one such entry. */
export interface PanelKind {
  kind: string;
  title: string;
  says: string;
  controls: Controls[];
  load(): Promise<{ default: Component<{ entries: PanelEntry[] }> }>;
  /** What stands where a bundle has none of this kind: why, and how to get it. Without it, nothing stands there. */
  lacking?: string;
}

const GRID: Controls[] = ['columns', 'images', 'colours'];

const panels: Panel[] = [
  {
    id: 'similarity',
    title: 'Similarity',
    says: 'How alike all cells are to the one that you point at.',
    controls: ['columns', 'images', 'measure', 'colours', 'marks'],
    strip: true,
    load: () => import('./Similarity.svelte'),
  },
  { id: 'norms', title: 'Norms', says: 'How long each cell is.', controls: GRID, load: () => import('./Norms.svelte') },
  { id: 'pca', title: 'PCA', says: 'The three main directions of all cells as red, green and blue.', controls: GRID, load: () => import('./Pca.svelte') },
  { id: 'clusters', title: 'Clusters', says: 'Cells of all pictures in k groups.', controls: GRID, load: () => import('./Clusters.svelte') },
  { id: 'anomalies', title: 'Anomalies', says: 'Cells that stand out for no reason in the picture.', controls: GRID, load: () => import('./Anomalies.svelte') },
  { id: 'matches', title: 'Correspondence', says: 'Where every cell of one picture goes in another.', controls: ['columns', 'images'], load: () => import('./Matches.svelte') },
  { id: 'probe', title: 'Probe', says: 'Paint cells for and against; a linear probe colours the rest.', controls: GRID, load: () => import('./Probe.svelte') },
  { id: 'annotate', title: 'Annotate', says: 'Tag cells, or say that there are none.', controls: ['columns', 'images'], load: () => import('./Annotate.svelte') },
  {
    id: 'facts',
    title: 'Facts',
    says: 'What is known of the pictures: labels, keypoints, depth, segments.',
    controls: ['images'],
    load: () => import('./Facts.svelte'),
  },
  { id: 'oddone', title: 'Odd one out', says: 'Which of three pictures does not belong? See which sites agree.', controls: ['columns'], load: () => import('./OddOne.svelte') },
  {
    id: 'twins',
    title: 'Twins',
    says: 'The same cells through two dictionaries: what each leaves unexplained, and which atoms they share.',
    controls: ['images'],
    load: () => import('./Twins.svelte'),
    barred: ({ panels: held }) =>
      held.filter(({ kind }) => kind === 'atoms').length > 1 ? undefined : 'This bundle holds fewer than two dictionaries. Open it with two of one site: denoscope explore STORE --dictionary FIRST SECOND',
  },
  {
    id: 'reports',
    title: 'Reports',
    says: 'What was measured on this store, with intervals and recipes.',
    controls: [],
    load: () => import('./Reports.svelte'),
    barred: (manifest) =>
      manifest.reports.length > 0 ? undefined : 'This bundle carries no report. Make one with: denoscope evaluate probe STORE',
  },
  {
    id: 'steer',
    title: 'Steer',
    says: 'Push a direction in a part of a picture, and see what it makes of it.',
    controls: [],
    load: () => import('./Steer.svelte'),
    barred: (_, live) =>
      live === null ? 'This page is a static export: steering makes pictures, which needs a model. Start the live page with: denoscope explore STORE' : undefined,
  },
  {
    id: 'run',
    title: 'Run',
    says: 'Read your own pictures, other sites and noise levels, or generate.',
    controls: [],
    load: () => import('./Run.svelte'),
    barred: (_, live) =>
      live === null ? 'This page is a static export: nothing can be computed here. Start the live page with: denoscope explore STORE' : undefined,
  },
];

const kinds: PanelKind[] = [
  {
    kind: 'atoms',
    title: 'Atoms',
    says: 'Directions that a dictionary found: where each is active, what it is called, what lies near it.',
    controls: ['images'],
    load: () => import('./Atoms.svelte'),
    lacking:
      'This bundle holds no dictionary. Learn one and open it: denoscope learn topk STORE --site up.1 --out DICTIONARY, denoscope interpret STORE DICTIONARY for names, then denoscope explore STORE --dictionary DICTIONARY',
  },
  {
    kind: 'attention',
    title: 'Attention',
    says: 'Where each word of the prompt is looked at from.',
    controls: ['images', 'colours'],
    load: () => import('./Attention.svelte'),
    lacking:
      'This bundle holds no attention. Read some with a prompt, then open it again: denoscope extract embedded menagerie:test --sites up.2.attn.2.blk.0.cross.map --timesteps 50 --prompt "a photo of a {category}" --out STORE',
  },
];

/** Adds a view after the others; a view of the same id is replaced. */
export function registerPanel(panel: Panel): void {
  const at = panels.findIndex(({ id }) => id === panel.id);
  if (at >= 0) panels[at] = panel;
  else panels.push(panel);
}

/** Adds a component for a kind of `manifest.panels`. */
export function registerKind(kind: PanelKind): void {
  kinds.push(kind);
}

export interface Shown extends Panel {
  /** Why it is not to be had, or nothing. */
  reason: string | undefined;
  /** What the bundle has of it, where it is of a kind that bundles carry. */
  entries?: PanelEntry[];
  loadEntries?: PanelKind['load'];
}

/** All views of a bundle, those that cannot be shown with the reason; panels of one kind are one view. */
export function panelsOf(manifest: Manifest, live: Live | null | undefined): Shown[] {
  const fixed = panels.map((panel) => ({ ...panel, reason: panel.barred?.(manifest, live) }));
  const carried = new Map(kinds.filter(({ lacking }) => lacking).map(({ kind }) => [kind, [] as PanelEntry[]]));
  for (const entry of manifest.panels) carried.set(entry.kind, [...(carried.get(entry.kind) ?? []), entry]);
  return [...fixed.slice(0, -4), ...[...carried].map(([kind, entries]) => shownKind(kind, entries)), ...fixed.slice(-4)];
}

function shownKind(name: string, entries: PanelEntry[]): Shown {
  const kind = kinds.find((known) => known.kind === name);
  const newer = `This page does not know panels of the kind "${name}": the bundle was made by a newer denoscope. Export it again, or update.`;
  return {
    id: name.replace(/[^A-Za-z0-9-]+/g, '-'),
    title: kind?.title ?? name,
    says: kind?.says ?? name,
    controls: kind?.controls ?? [],
    load: () => Promise.reject(new Error(`a "${name}" view needs its panels`)),
    reason: !kind ? newer : entries.length === 0 ? kind.lacking : undefined,
    entries,
    ...(kind ? { loadEntries: kind.load } : {}),
  };
}
