import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { googleSources } from './google.ts';

const HOST = 'europe-west3-docker.pkg.dev';
const PROVIDER = 'projects/123456789/locations/global/workloadIdentityPools/github/providers/acme';

/** What needs Google’s hosts is in test/e2e/clouds.test.ts. */
describe('Google’s sources', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await openTestWorld();
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
    vi.stubEnv('HOME', world.env.HOME);
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await world.close();
  });

  it.each([
    [{}, ['Google’s own credentials']],
    [
      { gcpWorkloadIdentityProvider: PROVIDER },
      [`${PROVIDER} (gcp-workload-identity-provider)`, 'Google’s own credentials'],
    ],
    [
      { gcpWorkloadIdentityProvider: PROVIDER, gcpServiceAccount: 'ci@acme.iam.gserviceaccount.com' },
      ['ci@acme.iam.gserviceaccount.com (gcp-service-account)', 'Google’s own credentials'],
    ],
  ])('with %o are in order', (written, names) => {
    expect(sources(written).map((source) => source.name)).toEqual(names);
  });

  it('say which permission a job without OIDC lacks', async () => {
    const [keyless] = sources({ gcpWorkloadIdentityProvider: PROVIDER });
    await expect(keyless?.find(HOST, world.signal)).rejects.toMatchObject({
      remedy: expect.stringContaining('`id-token: write`'),
    });
  });

  it('have nothing where the surroundings have nothing', async () => {
    const [surroundings] = sources({});
    expect(await surroundings?.find(HOST, world.signal)).toBeUndefined();
  });

  it('say that a file of credentials cannot be used', async () => {
    const file = `${world.directory}/key.json`;
    await writeFile(file, '{"type":"something else"}');
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
    const [surroundings] = sources({}, { GOOGLE_APPLICATION_CREDENTIALS: file });
    await expect(surroundings?.find(HOST, world.signal)).rejects.toMatchObject({
      name: 'Problem',
      message: expect.stringContaining('Google gave no token to Google’s credentials (GOOGLE_APPLICATION_CREDENTIALS)'),
    });
  });

  function sources(written: Parameters<typeof someRegistryInputs>[0], env: Record<string, string> = {}) {
    const host = { kind: 'gar', location: 'europe-west3' } as const;
    return googleSources(host, someRegistryInputs(written), { ...world, env, fetch });
  }
});
