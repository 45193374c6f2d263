/** What is asked of the next run of steering; kept while other views are looked at. */
import type { ModelEntry, Push, Steered, SteerAsk, SteerSource } from '../live';
import type { App } from '../page.svelte';
import { anything, bits, empty, region, type Region } from './region';

/** Strengths that the slider offers, by kind of edit. */
export const RANGES: Record<Push['edit'], { low: number; high: number; step: number; usual: number; unit: string }> = {
  add: { low: -2, high: 2, step: 0.05, usual: 0.5, unit: 'lengths of a cell' },
  codes: { low: -4, high: 8, step: 0.25, usual: 2, unit: 'times its codes' },
  ablate: { low: 0, high: 0, step: 1, usual: 0, unit: '' },
};

export const EDITS: { id: Push['edit']; name: string; says: string }[] = [
  { id: 'add', name: 'push along', says: 'Every cell is moved along the direction; strength 1 is as far as a cell is long, at each step anew.' },
  { id: 'codes', name: 'multiply codes', says: 'What the dictionary sees of the atom is multiplied: 0 takes it out, 2 doubles it where it is; what the dictionary leaves stays.' },
  { id: 'ablate', name: 'take out', says: 'The coordinate along the direction becomes 0 at every cell.' },
];

/** Models whose pictures the judges know. */
const JUDGED = ['embedded'];

export class Form {
  models = $state.raw<ModelEntry[]>();
  sources = $state.raw<SteerSource[]>([]);
  runs = $state.raw<Steered[]>([]);
  model = $state('');
  prompt = $state('a photo of a red cat');
  negative = $state('');
  seed = $state(0);
  pictures = $state(1);
  steps = $state<number | null>(null);
  guidance = $state<number | null>(null);
  pushes = $state<Push[]>([]);
  region = $state.raw<Region>(empty());
  /** First step and the one after the last, as shares of the way; the whole way by default. */
  from = $state(0);
  until = $state(1);
  branch = $state<SteerAsk['branch']>('both');
  control = $state(true);
  judge = $state(false);
  failure = $state('');

  readonly judged: boolean = $derived(JUDGED.includes(this.model));
  readonly ready: boolean = $derived(this.model !== '' && this.until > this.from && this.pushes.every((push) => this.source(push) !== undefined));
  /** Where the sliders of time stand on a way of `steps` steps. */
  readonly window: [number, number] | null = $derived(this.windowOf(this.steps ?? 30));

  source(push: Push): SteerSource | undefined {
    return this.sources.find(({ id }) => id === push.source);
  }

  /** What the server is asked; without pushes only the pictures themselves. */
  ask(pushing: boolean): SteerAsk {
    const pushes = pushing ? this.pushes.map((push) => ({ ...push })) : [];
    return {
      kind: 'steer',
      model: this.model,
      prompt: this.prompt,
      negative: this.negative,
      pushes,
      region: pushing && anything(this.region) ? { rows: this.region.rows, cols: this.region.cols, bits: bits(this.region) } : null,
      window: pushing ? this.window : null,
      branch: pushing ? this.branch : 'both',
      pictures: this.pictures,
      seed: this.seed,
      steps: this.steps,
      guidance: this.guidance,
      control: this.control,
      judge: pushing && this.judge && this.judged,
    };
  }

  /** Takes over what a run was asked. */
  take({ ask }: Steered): void {
    this.model = ask.model;
    this.prompt = ask.prompt ?? '';
    this.negative = ask.negative ?? '';
    this.seed = ask.seed ?? 0;
    this.pictures = ask.pictures ?? 1;
    this.steps = ask.steps ?? null;
    this.guidance = ask.guidance ?? null;
    this.control = ask.control ?? true;
    this.judge = ask.judge ?? false;
    this.branch = ask.branch ?? 'both';
    const pushes = ask.pushes ?? [];
    if (pushes.length > 0) this.pushes = pushes.map((push) => ({ ...push }));
    this.region = ask.region ? region(ask.region.bits, ask.region.rows, ask.region.cols) : empty();
    const steps = ask.steps ?? 30;
    [this.from, this.until] = ask.window ? [(ask.window[0] ?? 0) / steps, (ask.window[1] ?? steps) / steps] : [0, 1];
  }

  /** Whether a run's unpushed pictures are those that the form asks for. */
  same({ ask }: Steered): boolean {
    const steps = this.steps === null || this.steps === ask.steps;
    const guidance = this.guidance === null || this.guidance === ask.guidance;
    return steps && guidance && ask.model === this.model && ask.prompt === this.prompt && ask.negative === this.negative && ask.seed === this.seed && ask.pictures === this.pictures;
  }

  push(source: SteerSource, atom = 0): void {
    this.pushes = [...this.pushes, { source: source.id, atom, edit: 'add', strength: RANGES.add.usual }];
  }

  private windowOf(steps: number): [number, number] | null {
    if (this.from <= 0 && this.until >= 1) return null;
    const first = Math.min(steps - 1, Math.round(this.from * steps));
    return [first, Math.max(first + 1, Math.round(this.until * steps))];
  }
}

const forms = new WeakMap<App, Form>();

/** The form of a page; the same one each time. */
export function formOf(app: App): Form {
  const known = forms.get(app) ?? new Form();
  forms.set(app, known);
  return known;
}

/** `source@atom` of a link from another view. */
export function asked(text: string): { source: string; atom: number } | undefined {
  const found = /^(.+)@(\d{1,7})$/.exec(text);
  return found ? { source: found[1] ?? '', atom: Number(found[2]) } : undefined;
}
