import { SpelledNumber } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';
import * as z from 'zod';
import table from './prefect-settings.json' with { type: 'json' };

const Kind = z.enum(['bool', 'int', 'float', 'text', 'path', 'upper', 'list', 'json']);
type Kind = z.infer<typeof Kind>;
type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of Prefect 3.8.8 in its own order, from fixtures/make-goldens.py: name, kind, other names it goes by. */
const SETTINGS = z.array(z.tuple([z.string(), Kind], z.string())).parse(table);

/**
 * The worker's own Prefect settings as its pods get them (contracts/worker.md §4.6, settings/base.py
 * `to_environment_variables`): those that are set, under their main names, in the order of Prefect's model, values in
 * canonical form (`30` → `30.0`, `debug` → `DEBUG`). Unknown names and the Kubernetes integration's own are not passed.
 * A value that Prefect would refuse is passed as it is: the pod will say so.
 *
 * @param env the worker's environment with what Prefect's settings files say; names without regard to case.
 * @param cloud the API is Prefect Cloud, which takes smaller logs.
 */
export function passedSettings(env: Environment, cloud: boolean): [name: string, value: string][] {
  const variables = new Map(Object.entries(env).map(([name, value]) => [name.toUpperCase(), value]));
  const home = env.HOME ?? '';
  return SETTINGS.flatMap(([name, kind, ...aliases]): [string, string][] => {
    const value = [name, ...aliases].map((each) => variables.get(each)).find((each) => each !== undefined);
    const effective = value ?? (cloud && name === LOG_SIZE ? CLOUD_LOG_SIZE : undefined);
    return effective === undefined ? [] : [[name, canonical(kind, effective, home)]];
  });
}

const LOG_SIZE = 'PREFECT_LOGGING_TO_API_MAX_LOG_SIZE';
const CLOUD_LOG_SIZE = '25000';

function canonical(kind: Kind, text: string, home: string): string {
  switch (kind) {
    case 'bool':
      if (/^(true|t|yes|y|on|1)$/i.test(text)) return 'True';
      return /^(false|f|no|n|off|0)$/i.test(text) ? 'False' : text;
    case 'int':
      return /^\s*[+-]?\d+(\.0*)?\s*$/.test(text) ? String(Number(text)) : text;
    case 'float':
      return text.trim() === '' || Number.isNaN(Number(text)) ? text : floatText(Number(text));
    case 'path':
      return pathText(text, home);
    case 'upper':
      return text.toUpperCase();
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .sort()
        .join(',');
    case 'json':
      return jsonText(text);
    case 'text':
      return text;
  }
}

function floatText(number: number): string {
  return pythonStr(new SpelledNumber(Number.isInteger(number) ? `${number}.0` : String(number)));
}

/** As Python's pathlib writes a path: no doubled slashes, no `.` parts, no slash at the end. */
function pathText(text: string, home: string): string {
  const expanded = /^~(?=\/|$)/.test(text) ? home + text.slice(1) : text;
  const parts = expanded.split('/').filter((part) => part !== '' && part !== '.');
  return (expanded.startsWith('/') ? '/' : '') + parts.join('/');
}

/** As Python's json.dumps writes a mapping of texts. */
function jsonText(text: string): string {
  try {
    const members = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return `{${members.map(([key, value]) => `${asciiJson(key)}: ${asciiJson(String(value))}`).join(', ')}}`;
  } catch {
    return text;
  }
}

function asciiJson(text: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, escaped);
}
