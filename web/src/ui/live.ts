/** The server's side of the page: images, jobs, exact values, annotations. Static pages have none. */
import type { CellRef, Measure } from '../core';
import type { components } from '../core/api';

/** Questions and answers as the server describes them (docs/openapi.json). */
type Server = components['schemas'];
export type Version = Server['Version'];
export type ModelEntry = Server['ModelEntry'];
export type SiteEntry = Server['SiteEntry'];
export type Wanted = Server['PlanAsk'];
export type Plan = Server['Cost'];
export type Job = Server['Job'];
export type Exact = Server['ExactMap'];
export type Mark = Server['Mark'];
export type Triplet = Server['Triplet'];
export type PackedDirection = Server['DirectionAsk'];
export type SavedDirection = Server['Direction'];
export type Uploaded = Server['ImageEntry'];
export type Push = Required<Server['Push']>;
export type SteerAsk = Server['SteerAsk'];
export type SteerSource = Server['SteerSource'];
export type Steered = Server['Steered'];
export type SteerLayer = Steered['layers'][number];
export type FactCount = Server['FactCount'];
export type ContrastAsk = Server['ContrastAsk'];
type Generated = Omit<Server['GenerateAsk'], 'kind' | 'negative'>;

/** A server that answers. Every method throws an `Error` with the server's one clear line. */
export interface Live {
  readonly version: Version;
  models(): Promise<ModelEntry[]>;
  /** All sites of a model that have a grid of cells, in computing order. */
  sites(model: string): Promise<SiteEntry[]>;
  upload(file: File): Promise<Uploaded>;
  plan(wanted: Wanted): Promise<Plan>;
  start(job: Server['ExtractAsk']): Promise<Job>;
  generate(job: Generated): Promise<Job>;
  jobs(): Promise<Job[]>;
  cancel(id: string): Promise<Job>;
  /** Calls back with every change of a job until it has ended; the answer stops listening. */
  follow(id: string, told: (job: Job) => void): () => void;
  exact(ask: { layer: string; query: CellRef; images: string[]; measure: Measure }): Promise<Exact[]>;
  marks(): Promise<Mark[]>;
  addMarks(marks: Mark[]): Promise<void>;
  deleteMark(id: string): Promise<void>;
  exportAddress(format: 'parquet' | 'coco' | 'json'): string;
  triplets(): Promise<Triplet[]>;
  addTriplet(triplet: Triplet): Promise<void>;
  saveDirection(ask: PackedDirection): Promise<SavedDirection>;
  /** Directions that can be pushed. */
  steerSources(): Promise<SteerSource[]>;
  /** Facts of the pictures behind a layer, from which a direction can be told. */
  steerFacts(layer: string): Promise<FactCount[]>;
  addContrast(ask: ContrastAsk): Promise<SavedDirection>;
  steer(job: SteerAsk): Promise<Job>;
  /** Every run, the newest first. */
  steered(): Promise<Steered[]>;
  deleteSteered(id: string): Promise<Steered>;
  /** Address of one picture of a run. */
  steeredPicture(id: string, layer: SteerLayer, picture: number): string;
}

const API = 'api/';

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(API + path, { credentials: 'same-origin', ...init });
  } catch {
    throw new Error('The server does not answer. Is `denoscope explore` still running?');
  }
  if (!answer.ok) throw new Error(await refusal(answer));
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

async function refusal(answer: Response): Promise<string> {
  try {
    const { detail } = (await answer.json()) as { detail?: unknown };
    if (typeof detail === 'string') return detail;
    if (Array.isArray(detail)) return detail.map((item: { msg?: string }) => item.msg ?? '').join('; ');
  } catch {
    // Not JSON: the status has to do.
  }
  return `The server refused (${answer.status} ${answer.statusText}).`;
}

const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

/** The server behind the page, or `null` for a static page. */
export async function connect(): Promise<Live | null> {
  try {
    const version = await ask<Version>('version');
    return version.live ? server(version) : null;
  } catch {
    return null;
  }
}

function server(version: Version): Live {
  return {
    version,
    models: () => ask('models'),
    sites: (model) => ask(`sites?model=${encodeURIComponent(model)}`),
    upload: (file) => ask('images', { method: 'POST', body: form(file) }),
    plan: (wanted) => ask('plan', post(wanted)),
    start: (job) => ask('jobs', post(job)),
    generate: (job) => ask('jobs', post({ kind: 'generate', ...job })),
    jobs: () => ask('jobs'),
    cancel: (id) => ask(`jobs/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    follow,
    exact: (wanted) => ask('exact', post(wanted)),
    marks: () => ask('annotations'),
    addMarks: async (marks) => void (await ask('annotations', post(marks))),
    deleteMark: (id) => ask(`annotations/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    exportAddress: (format) => `${API}annotations/export?format=${format}`,
    triplets: () => ask('triplets'),
    addTriplet: async (triplet) => void (await ask('triplets', post(triplet))),
    saveDirection: (direction) => ask('directions', post(direction)),
    steerSources: () => ask('steer/sources'),
    steerFacts: (layer) => ask(`steer/facts?layer=${encodeURIComponent(layer)}`),
    addContrast: (wanted) => ask('steer/contrasts', post(wanted)),
    steer: (job) => ask('jobs', post(job)),
    steered: () => ask('steered'),
    deleteSteered: (id) => ask(`steered/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    steeredPicture: (id, layer, picture) => `${API}steered/${encodeURIComponent(id)}/${layer}.png?picture=${picture}`,
  };
}

function form(file: File): FormData {
  const data = new FormData();
  data.append('file', file, file.name);
  return data;
}

const ended = (job: Job): boolean => job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';

function follow(id: string, told: (job: Job) => void): () => void {
  const events = new EventSource(`${API}jobs/${encodeURIComponent(id)}/events`);
  const take = (event: MessageEvent<string>): void => {
    const job = JSON.parse(event.data) as Job;
    told(job);
    if (ended(job)) events.close();
  };
  for (const name of ['message', 'progress', 'done', 'failed', 'cancelled']) events.addEventListener(name, take as EventListener);
  return () => events.close();
}
