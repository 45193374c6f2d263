/** What the views of atoms share: how codes lie on pictures, and an atom as a column of maps. */
import { type Overlay, type ImageEntry, type LayerEntry, type AtomsFile, type GalleryImage } from '../core';
import { oneOf, type Choice } from './choices';
import type { App } from './page.svelte';
import { laid } from './tiles';

/** How atoms are laid over pictures, in all views. */
export const overlayChoice = (app: App): Choice<Overlay> => oneOf<Overlay>(app, 'atoms.overlay', ['light', 'heat'], 'light');

/** How the canvas of an image's cells lies on its picture. */
export const placed = (image: GalleryImage): string => laid(image.frame, image.rows, image.cols, image.stride, image);

/** The dictionary as a column: what places its cells on pictures, as a layer does. */
export function columnOf(file: AtomsFile, id: string): LayerEntry {
  const packs = file.images.map(({ id: image, rows, cols, frame, invalid }) => [image, { file: '', rows, cols, frame, bytes: 0, ...(invalid ? { invalid } : {}) }] as const);
  return {
    id,
    model: file.model,
    site: file.site,
    stream: 'image',
    level: file.level,
    condition: {},
    recipe: file.recipe,
    channels: file.channels,
    stride: file.images[0]?.stride ?? 1,
    share: 0,
    mean: '',
    mean_square: 0,
    bands: [],
    error: {},
    packs: Object.fromEntries(packs),
  };
}

/** Pictures of the manifest that the gallery holds on the same grid. */
export const inGallery = (file: AtomsFile, images: ImageEntry[]): ImageEntry[] => {
  const known = new Set(file.images.map(({ id }) => id));
  return images.filter(({ id }) => known.has(id));
};

/** CSS of one atom's tile on the sheets of birthplaces, `size` pixels square. */
export function tileOf(births: NonNullable<AtomsFile['births']>, atom: number, size: number): { sheet: string; style: string } | undefined {
  const sheet = births.sheets[Math.floor(atom / births.each)];
  if (sheet === undefined || births.images[atom] === null) return undefined;
  const at = atom % births.each;
  const scale = size / births.tile;
  const x = (at % births.columns) * births.tile * scale;
  const y = Math.floor(at / births.columns) * births.tile * scale;
  return { sheet, style: `width:${size}px;height:${size}px;background-position:${-x}px ${-y}px;background-size:${births.columns * births.tile * scale}px auto` };
}
