/** What the page knows: the bundle, the view, and what both allow. The moving cell lives in `Cursor`, outside of this. */
import { getContext, setContext } from 'svelte';
import {
  DEFAULT_VIEW,
  Engine,
  decodeState,
  encodeState,
  openBundle,
  type Bundle,
  type CellMask,
  type Finding,
  type ImageEntry,
  type LayerEntry,
  type Manifest,
  type MapAnswer,
  type Measure,
  type PixelRef,
  type Source,
  type View,
} from '../core';
import { Cursor, cellOf, placed, snapped } from './cursor';
import { Jobs } from './queue.svelte';
import { connect, type Job, type Live } from './live';
import { Tiles } from './tiles';
import { layerName, line } from './words';
import { leftOut, masksOf } from './masks';

export interface Notice {
  id: number;
  text: string;
  kind: 'note' | 'bad' | 'good';
}

export interface AppOptions {
  source: Source;
  address: boolean;
  server: boolean;
  onselect?: ((point: PixelRef | undefined, layers: string[]) => void) | undefined;
}

const IMAGES_AT_FIRST = 12;

export class App {
  bundle = $state.raw<Bundle>();
  engine = $state.raw<Engine>();
  failure = $state('');
  /** The server, `null` where there is none, `undefined` while that is not known. */
  live = $state.raw<Live | null>();
  view = $state<View>(blank());
  /** The server's queue, where there is a server. */
  jobs = $state.raw<Jobs>();
  /** The finding on show, until something else is chosen. */
  finding = $state<string>();
  notices = $state<Notice[]>([]);
  /** Flagged cells to leave out, per layer: what the choice `anomalies.out` says of the columns on show. */
  masks = $state.raw<Record<string, CellMask>>({});
  /** Name of the file that is on its way to the server. */
  sending = $state('');
  /** Pictures that are to be read by the next job. */
  waiting = $state<string[]>([]);
  /** The run of steering that ended last. */
  steered = $state('');
  /** Text to copy by hand. */
  copied = $state<{ what: string; text: string }>();
  readonly cursor = new Cursor();
  readonly tiles = new Tiles();

  readonly manifest: Manifest | undefined = $derived(this.bundle?.manifest);
  readonly columns: LayerEntry[] = $derived(this.known(this.manifest?.layers, this.view.layers));
  readonly images: ImageEntry[] = $derived(this.known(this.manifest?.images, this.view.images));
  readonly models: string[] = $derived([...new Set(this.manifest?.layers.map((layer) => layer.model))]);
  /** Why a measure cannot be had at the chosen columns, by measure. */
  readonly barred: Partial<Record<Measure, string>> = $derived(barredMeasures(this.columns));
  readonly positions: boolean = $derived(this.columns.every((layer) => layer.position));

  private notice = 0;
  private masking = 0;

  constructor(readonly options: AppOptions) {}

  /** Opens the bundle and shows what the address asks for, or else the first finding. */
  async open(hash: string): Promise<void> {
    try {
      this.bundle = await openBundle(this.options.source);
      titled(this.bundle.manifest);
      this.engine = new Engine(this.bundle);
      this.restore(hash);
    } catch (error) {
      this.failure = line(error);
      return;
    }
    this.live = this.options.server ? await connect() : null;
    if (this.live) {
      this.jobs = new Jobs(this.live, (job) => void this.attempt(() => this.join(job)));
      await this.attempt(() => this.jobs?.load());
    }
  }

  /** Shows the view that a hash describes. */
  restore(hash: string): void {
    const { manifest } = this;
    if (!manifest) return;
    const first = manifest.findings[0];
    const asked = hash.replace(/^#/, '');
    if (asked) this.take(asked);
    else if (first) this.show(first);
    else this.set(this.start(manifest));
  }

  /** Shows a finding. */
  show(finding: Finding): void {
    this.take(finding.state.replace(/^#/, ''));
    this.finding = finding.id;
  }

  private take(hash: string): void {
    const { manifest } = this;
    if (!manifest) return;
    const { view, messages } = decodeState(hash, manifest);
    const start = this.start(manifest);
    if (view.layers.length === 0) view.layers = start.layers;
    if (view.images.length === 0) view.images = start.images;
    this.set({ ...view, theme: view.theme === 'auto' ? this.view.theme : view.theme });
    for (const message of messages) this.say(message);
  }

  private set(view: View): void {
    this.view = view;
    this.finding = undefined;
    const first = this.images[0];
    const middle = first && snapped({ image: first.id, x: first.width / 2, y: first.height / 2 }, this.columns[0]);
    this.cursor.place(placed(view.query, this.columns[0]) ?? middle, view.pinned && view.query !== undefined);
  }

  /** A sensible view where nothing was asked for: the site two thirds of the way, the first images. */
  private start(manifest: Manifest): View {
    const first = manifest.layers[0];
    const own = manifest.layers.filter((layer) => layer.model === first?.model);
    const level = own[Math.floor(own.length / 2)]?.level;
    const same = own.filter((layer) => layer.level === level);
    const layer = same[Math.floor(same.length * 0.67)] ?? first;
    const images = manifest.images.filter((image) => layer?.packs[image.id]).slice(0, IMAGES_AT_FIRST);
    const made: View = { ...blank(), layers: layer ? [layer.id] : [], images: images.map((image) => image.id) };
    if (first) made.model = first.model;
    return made;
  }

  /** The address of the view on show. */
  hash(): string {
    return encodeState(this.snapshot());
  }

  /** The view with the cell where it is now. */
  snapshot(): View {
    const view = { ...($state.snapshot(this.view) as View), pinned: this.cursor.pinned };
    const { point } = this.cursor;
    const cell = point && this.columns[0] && cellOf(this.columns[0], point);
    delete view.query;
    if (point && cell) view.query = { image: point.image, row: cell.row, col: cell.col, ...this.finer(point) };
    return view;
  }

  /** The pixel, where the middle of the first column's cell would be another cell of some column. */
  private finer(point: PixelRef): { x: number; y: number } | undefined {
    const middle = snapped(point, this.columns[0]);
    const same = this.columns.every((layer) => cellOf(layer, point)?.index === cellOf(layer, middle)?.index);
    return same ? undefined : { x: point.x, y: point.y };
  }

  /** The maps of all columns at the cell on show. */
  async answers(): Promise<MapAnswer[]> {
    const { engine, cursor, view } = this;
    const { point } = cursor;
    if (!engine || !point) return [];
    const asks = this.columns.map(async (layer) => {
      const cell = cellOf(layer, point);
      if (!cell) return [];
      return await engine.maps({
        slot: `saved/${layer.id}`,
        layer: layer.id,
        query: { image: point.image, row: cell.row, col: cell.col },
        images: view.images.filter((image) => layer.packs[image]),
        measure: view.measure,
        position: this.positions ? view.position : 'total',
        exclude: view.exclude,
        topk: Math.max(1, view.topk),
        ...(this.masks[layer.id] ? { mask: this.masks[layer.id] } : {}),
      });
    });
    return (await Promise.all(asks)).flat();
  }

  /** Reads the manifest again and adds what has come: results of a job, a new image. */
  async refresh(images: string[] = [], layers: string[] = []): Promise<void> {
    if (!this.bundle) return;
    this.bundle = await this.bundle.refresh();
    titled(this.bundle.manifest);
    this.engine?.use(this.bundle);
    const known = new Set(this.bundle.manifest.images.map((image) => image.id));
    const shown = images.filter((image) => known.has(image) && !this.view.images.includes(image));
    this.view.images = [...shown, ...this.view.images];
    const made = layers.filter((layer) => !this.view.layers.includes(layer));
    if (made.length > 0) this.view.layers = [...this.view.layers, ...made].slice(-6);
  }

  /** What a job has made joins the view. */
  private async join({ kind, result, message }: Job): Promise<void> {
    if (kind === 'steer') {
      this.steered = result?.steered ?? '';
      return;
    }
    await this.refresh(result?.images ?? [], result?.layers ?? []);
    if (kind === 'generate') this.follow(result?.images[0], result?.layers ?? []);
    const told = [...new Set([message || 'Done', result?.note].filter(Boolean))];
    this.say(`${told.join('. ')}: it has joined the view.`, 'good');
  }

  /** Finds the cells that are left out, when columns, pictures or the choice have changed. */
  async remask(): Promise<void> {
    const rule = leftOut(this.view.choices);
    const { engine, columns } = this;
    const images = [...this.view.images];
    const mine = ++this.masking;
    const masks = rule && engine ? await masksOf(engine, columns, images, rule) : {};
    if (mine === this.masking && (rule || Object.keys(this.masks).length > 0)) this.masks = masks;
  }

  /** Shows how a picture came about: its own layers are the columns, and its middle is asked about. */
  private follow(id: string | undefined, layers: string[]): void {
    const image = this.manifest?.images.find((one) => one.id === id);
    if (!image || layers.length === 0) return;
    this.view.layers = layers.slice(0, 6);
    const model = this.columns[0]?.model;
    if (model) this.view.model = model;
    this.finding = undefined;
    this.cursor.place(snapped({ image: image.id, x: image.width / 2, y: image.height / 2 }, this.columns[0]), false);
  }

  /** Sends pictures to the server; they join the view, and wait to be read. */
  async upload(files: Iterable<File>): Promise<void> {
    const { live } = this;
    if (!live) return this.say('This page cannot take pictures: nothing computes here. Start the live page with: denoscope explore STORE');
    this.view.panel = 'run';
    for (const file of files) {
      this.sending = file.name;
      await this.attempt(async () => {
        const { id } = await live.upload(file);
        await this.refresh([id]);
        if (!this.waiting.includes(id)) this.waiting = [...this.waiting, id];
      });
    }
    this.sending = '';
  }

  say(text: string, kind: Notice['kind'] = 'note'): void {
    const id = ++this.notice;
    this.notices = [...this.notices.filter((notice) => notice.text !== text).slice(-3), { id, text, kind }];
    if (kind !== 'bad') setTimeout(() => this.dismiss(id), 6000);
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  /** Runs something, telling what went wrong. */
  async attempt(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.say(line(error), 'bad');
    }
  }

  /** Layers of one model by site, then by noise, in computing order. */
  bySite(model: string | undefined): Map<string, LayerEntry[]> {
    const sites = new Map<string, LayerEntry[]>();
    for (const layer of this.manifest?.layers ?? []) {
      if (layer.model === model) sites.set(layer.site, [...(sites.get(layer.site) ?? []), layer]);
    }
    return sites;
  }

  toggleLayer(id: string): void {
    const { layers } = this.view;
    this.finding = undefined;
    if (!layers.includes(id)) this.view.layers = [...layers, id];
    else if (layers.length > 1) this.view.layers = layers.filter((layer) => layer !== id);
    else this.say('One column stays: add another before taking the last one away.');
  }

  toggleImage(id: string): void {
    const { images } = this.view;
    if (!images.includes(id)) this.view.images = this.ordered([...images, id]);
    else if (images.length > 1) this.view.images = images.filter((image) => image !== id);
    else this.say('One picture stays: add another before taking the last one away.');
  }

  private ordered(ids: string[]): string[] {
    const order = this.manifest?.images.map((image) => image.id) ?? [];
    return [...ids].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  }

  private known<T extends { id: string }>(all: T[] | undefined, ids: string[]): T[] {
    const byId = new Map(all?.map((item) => [item.id, item]));
    return ids.map((id) => byId.get(id)).filter((item) => item !== undefined);
  }
}

const blank = (): View => ({ ...DEFAULT_VIEW, layers: [], images: [], choices: {} });

/** Pictures that are only numbered are called by what they show. */
function titled(manifest: Manifest): void {
  for (const image of manifest.images) {
    const { category } = image.facts;
    if (/^\d+$/.test(image.title) && typeof category === 'string') image.title = `${category} ${Number(image.title)}`;
  }
}

function barredMeasures(columns: LayerEntry[]): Partial<Record<Measure, string>> {
  const rotated = columns.find((layer) => layer.basis);
  if (!rotated) return {};
  const why = `${layerName(rotated)} is stored rotated, which keeps angles and L2 but not this measure; pack it with rotate=False`;
  return { l1: why, linf: why };
}

const KEY = Symbol('app');

export const provideApp = (app: App): App => setContext(KEY, app);

/** The page's state, in any component below the page. */
export const useApp = (): App => getContext<App>(KEY);
