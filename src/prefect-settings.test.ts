import { describe, expect, it } from 'vitest';
import { memoryFiles } from './flow/memory-files.ts';
import { readPrefectSettings } from './prefect-settings.ts';

const PROFILE = 'active = "p"\n[profiles.p]\nPREFECT_API_URL = "http://profile/api"\nPREFECT_API_KEY = "pnu_p"\n';
const PROJECT = '[api]\nurl = "http://evil/api"\n';

async function programEnv(env: Record<string, string>, files: Record<string, string> = {}) {
  const world = { env: { HOME: '/home/ford' }, files: memoryFiles(files) };
  return (await readPrefectSettings({ prefectEnv: env }, '/repo', world)).programEnv;
}

describe('what programs of steps are told of the connection', () => {
  it.each<[string, Record<string, string>, Record<string, string>, Record<string, string>]>([
    [
      'inputs and environment',
      {
        PREFECT_API_URL: 'http://input/api/',
        PREFECT_API_KEY: 'pnu_i',
        PREFECT_API_SSL_CERT_FILE: '/ca.pem',
        OTHER: 'x',
      },
      {},
      { PREFECT_API_URL: 'http://input/api', PREFECT_API_KEY: 'pnu_i', PREFECT_API_SSL_CERT_FILE: '/ca.pem' },
    ],
    [
      'the profile, whatever a file of the checkout says',
      {},
      { '/home/ford/.prefect/profiles.toml': PROFILE, '/repo/prefect.toml': PROJECT },
      { PREFECT_API_URL: 'http://profile/api', PREFECT_API_KEY: 'pnu_p' },
    ],
    ['a name written small', { prefect_api_url: 'http://small/api' }, {}, { PREFECT_API_URL: 'http://small/api' }],
  ])('is that of %s', async (_name, env, files, expected) => {
    expect(await programEnv(env, files)).toEqual(expected);
  });
});
