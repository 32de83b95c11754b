import { expect, it } from 'vitest';
import { dockerEnvironment } from './docker-environment.ts';

const ENV = {
  PATH: '/bin',
  'INPUT_REGISTRY-PASSWORD': 'a',
  STATE_slipway: 'b',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'c',
  ACTIONS_RUNTIME_TOKEN: 'd',
  PREFECT_API_KEY: 'e',
  PREFECT_API_AUTH_STRING: 'f',
  BUILD_TOKEN: 'g',
};

it('docker gets the job’s environment without what it has no use for', () => {
  expect(dockerEnvironment(ENV)).toEqual({ PATH: '/bin', ACTIONS_RUNTIME_TOKEN: 'd', BUILD_TOKEN: 'g' });
});

it('docker gets a variable that a build secret names', () => {
  const kept = dockerEnvironment(ENV, ['id=key,env=PREFECT_API_KEY', 'id=x,src=/PREFECT_API_AUTH_STRING']);
  expect(kept).toMatchObject({ PREFECT_API_KEY: 'e' });
  expect(kept).not.toHaveProperty('PREFECT_API_AUTH_STRING');
});
