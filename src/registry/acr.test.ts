import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { acrSources } from './acr.ts';

const HOST = 'acme.azurecr.io';
const UUID = '01234567-89ab-cdef-0123-456789abcdef';

/** What needs Entra is in test/e2e/clouds.test.ts. */
describe('Azure’s sources', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await openTestWorld();
    // Of Azure's order only the environment, which is empty: the others ask this machine's network and programs.
    vi.stubEnv('AZURE_TOKEN_CREDENTIALS', 'EnvironmentCredential');
    for (const name of ['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_CLIENT_SECRET']) vi.stubEnv(name, undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await world.close();
  });

  it('are keyless first, when it is asked for', () => {
    const names = (written: Parameters<typeof sources>[0]) => sources(written).map((source) => source.name);
    expect(names({})).toEqual(['Azure’s own credentials']);
    expect(names({ azureClientId: UUID, azureTenantId: 'acme.onmicrosoft.com' })).toEqual([
      `the application ${UUID} (azure-client-id)`,
      'Azure’s own credentials',
    ]);
  });

  it('say which permission a job without OIDC lacks', async () => {
    const [keyless] = sources({ azureClientId: UUID, azureTenantId: UUID });
    await expect(keyless?.find(HOST, world.signal)).rejects.toMatchObject({
      message: expect.stringContaining('the input azure-client-id needs GitHub’s OIDC token'),
      remedy: expect.stringContaining('`id-token: write`'),
    });
  });

  it('have nothing where the surroundings have nothing', async () => {
    const [surroundings] = sources({});
    expect(await surroundings?.find(HOST, world.signal)).toBeUndefined();
  }, 60_000);

  function sources(written: Parameters<typeof someRegistryInputs>[0]) {
    const host = { kind: 'acr', cloud: 'public' } as const;
    return acrSources(host, someRegistryInputs(written), { ...world, env: {}, fetch });
  }
});
