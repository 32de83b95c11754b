import { readFileSync } from 'node:fs';
import { withSettingsFiles } from '@slipway/prefect/settings';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { passedSettings } from './passed-settings.ts';

const texts = z.record(z.string(), z.string());
const Golden = z.object({ cases: z.array(z.object({ env: texts, passed: texts })) });
const { cases } = Golden.parse(JSON.parse(readFileSync(new URL('fixtures/settings.json', import.meta.url), 'utf8')));

describe('the settings that pods get are those that Prefect 3.8.8 passes on', () => {
  it.each(
    cases.map(({ env, passed }) => [JSON.stringify(env), env, passed] as const),
  )('%s', async (_text, given, passed) => {
    const places = { home: '/nonexistent', directory: '/nonexistent', writtenBy: 'operator' } as const;
    const { variables: env } = await withSettingsFiles(given, places, async (path) => {
      throw Object.assign(new Error(path), { code: 'ENOENT' });
    });
    const cloud = (env.PREFECT_API_URL ?? '').startsWith(env.PREFECT_CLOUD_API_URL ?? 'https://api.prefect.cloud/api');
    expect(passedSettings(env, cloud)).toEqual(Object.entries(passed));
  });

  it.each([
    ['PREFECT_DEBUG_MODE', 'perhaps'],
    ['PREFECT_CLIENT_MAX_RETRIES', 'many'],
    ['PREFECT_API_REQUEST_TIMEOUT', ''],
    ['PREFECT_CLIENT_CUSTOM_HEADERS', '{'],
  ])('%s=%s, which Prefect would refuse, is passed as it is', (name, value) => {
    expect(Object.fromEntries(passedSettings({ [name]: value }, false))[name]).toBe(value);
  });

  it('a path below the home directory is written whole', () => {
    const passed = passedSettings({ HOME: '/home/prefect', PREFECT_HOME: '~/.prefect/' }, false);
    expect(passed[0]).toEqual(['PREFECT_HOME', '/home/prefect/.prefect']);
  });
});
