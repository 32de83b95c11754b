import { expect, it } from 'vitest';
import { compileConfig } from './config.ts';
import { plainCredentials } from './plain-credentials.ts';

const K = 'PREFECT_INTEGRATIONS_KUBERNETES_WORKER_';
const flags = {
  pool: 'p',
  workQueue: [],
  runOnce: false,
  withHealthcheck: false,
  installPolicy: 'prompt',
  createPoolIfNotFound: true,
};
const auth = { PREFECT_API_AUTH_STRING: 'admin:hunter2' };
const secret = { [`${K}API_AUTH_STRING_SECRET_NAME`]: 's', [`${K}API_AUTH_STRING_SECRET_KEY`]: 'k' };

it.each([
  ['an auth string in the Jobs', auth, true],
  ['an auth string with a Secret that lacks its key', { ...auth, [`${K}API_AUTH_STRING_SECRET_NAME`]: 's' }, true],
  ['an auth string from a Secret', { ...auth, ...secret }, false],
  ['an environment kept in a Secret', { ...auth, [`${K}STORE_ENV_AS_SECRET`]: 'true' }, false],
  ['an API key', { PREFECT_API_KEY: 'k' }, false],
])('%s', (_about, env, warned) => {
  const warning = plainCredentials(compileConfig(flags, { PREFECT_API_URL: 'http://x/api', ...env }, () => ''));
  expect(warning !== undefined).toBe(warned);
  expect(String(warning)).not.toContain('hunter2');
});
