import { type Json, SpelledNumber } from '@slipway/prefect/json';
import type { Random } from '../../fuzz/random.ts';

/** A number that keeps how it is written. */
export function spelled(source: string): SpelledNumber {
  return new SpelledNumber(source);
}

const SCALARS: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  7,
  1.5,
  spelled('1.0'),
  spelled('-0.0'),
  spelled('1e22'),
  spelled('0.00001'),
  spelled('12345678901234567890'),
  '',
  'text',
  'True',
  '0',
  "it's",
  'a "b"',
  'tab\tand\nline',
  'naïve 東京 🚀',
  '$HOME',
  '$(POD_NAME)',
  '100%',
  '{{ }}',
  '{{',
  '}}',
  '{ a }',
  '\\d+',
  '\u200bx',
];

/** Any JSON value, at most so deep. */
export function oddValue(random: Random, depth: number): Json {
  const roll = random.below(depth > 0 ? 10 : 8);
  if (roll < 8) return random.pick(SCALARS);
  const members = Array.from({ length: random.below(4) }, () => oddValue(random, depth - 1));
  if (roll === 8) return members;
  return Object.fromEntries(members.map((value, index) => [random.pick(KEYS) + (index || ''), value]));
}

const KEYS = ['a', 'b c', 'é', "it's", 'x-y', '', '$ref_', 'name', 'value'];
const PATHS = [
  'image',
  'namespace',
  'name',
  'command',
  'labels',
  'labels.team',
  'env',
  'env.A',
  'missing',
  'cpu_limit',
  'backoff_limit',
  'zones[0]',
  'a.0',
  '-1',
  'prefect.variables.region',
  'prefect.variables.port',
  'prefect.variables.ratio',
  'prefect.variables.flag',
  'prefect.variables.nothing',
  'prefect.variables.zones',
  'prefect.variables.limits',
  'prefect.variables.absent',
  'prefect.blocks.secret.token',
  'prefect.blocks.secret.token.value',
  'prefect.blocks.json.settings',
  'prefect.blocks.json.settings.env',
  'prefect.blocks.json.settings.list[1]',
  'prefect.blocks.json.settings.value.image',
  'prefect.blocks.docker.creds.username',
  'prefect.blocks.docker.creds.depth.a',
  'prefect.blocks.docker.creds',
  'ctx.flow.name',
  'ctx.flow_run.id',
  '$REGISTRY',
  '$EMPTY',
  '$ABSENT',
  'a|b',
  'a b',
];

/** A placeholder, mostly of something that is there. */
function placeholder(random: Random, own: readonly string[]): string {
  const path = random.chance(0.3) && own.length > 0 ? random.pick(own) : random.pick(PATHS);
  return random.pick(['{{ _ }}', '{{_}}', '{{  _ }}', '{{ _\n}}']).replace('_', () => path);
}

/** Any value with placeholders in it: whole, inside a text, in lists and mappings. @param own names of variables. */
export function odd(random: Random, own: readonly string[], depth: number): Json {
  const roll = random.below(depth > 0 ? 10 : 7);
  if (roll < 2) return random.pick(SCALARS);
  if (roll < 4) return placeholder(random, own);
  if (roll < 7) {
    const between = random.pick(['-', '', ' ', '/', '$', '{', '}']);
    return `${random.pick(['', 'x', '{', ' '])}${placeholder(random, own)}${between}${placeholder(random, own)}`;
  }
  if (roll < 8) return Array.from({ length: random.below(4) }, () => odd(random, own, depth - 1));
  if (roll < 9) return { $ref: { block_document_id: '0f6c9d2e-1111-4222-8333-000000000001' } };
  return Object.fromEntries(
    Array.from({ length: random.below(4) }, () => [random.pick([...KEYS, '{{ image }}']), odd(random, own, depth - 1)]),
  );
}

/** Names as people and programs give them. */
export class RandomNames {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Of a flow, a run, a label’s value: anything goes. */
  object(): string {
    const random = this.#random;
    const parts = Array.from({ length: 1 + random.below(4) }, () => random.pick(PIECES));
    const text = parts.join(random.pick(['', '-', ' ', '_', '.']));
    return random.chance(0.1) ? text.repeat(20).slice(0, 40 + random.below(60)) : text;
  }

  /** Of a flow, deployment or work pool, for which the server takes fewer characters than for a run. */
  checked(): string {
    return this.object().replace(/[/%&><]/g, '~');
  }

  labelKey(): string {
    const random = this.#random;
    const name = random.chance(0.5) ? random.pick(['team', 'a_b', 'A.b']) : this.object();
    return random.chance(0.4) ? `${random.pick(['example.com', 'Ex_ample', 'prefect.io', ''])}/${name}` : name;
  }

  environment(): string {
    return this.#random.pick([
      'A',
      'B',
      'C',
      'PATH',
      'PREFECT_API_URL',
      'PREFECT_LOGGING_LEVEL',
      '10',
      '9',
      'a.b',
      'É',
    ]);
  }

  variable(): string {
    return this.#random.pick([
      'tier',
      'volumes',
      'gpu_count',
      'node_selector',
      'tolerations',
      'extra-env',
      'ключ',
      'x1',
      '7',
    ]);
  }
}

const PIECES = [
  'flow',
  'My Flow',
  'ETL',
  '2026-11-26',
  'a/b',
  'naïve',
  'Größe',
  '東京',
  'Привет',
  '🚀',
  '_x_',
  '--',
  '...',
  "it's",
  '“q”',
  'a,b',
  '1,000',
  '&amp;',
  '&lt',
  '&#65;',
  '&#x41;',
  '%20',
  '@home',
  'a:b',
  'x\ty',
  'ﬁ',
  '½',
  '№5',
  'İ',
  'ß',
  '٣',
  '\u0301',
  '\u00a0',
  'æøå',
  'ñ',
  'Ωmega',
  '한국',
  '{{ image }}',
];
