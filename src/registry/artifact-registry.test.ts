import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { ensureGoogleRepository, readGoogleRepository } from './artifact-registry.ts';
import { decideRegistryHost } from './registry-host.ts';
import { parseRepository } from './repository.ts';

const IMAGE = 'europe-west3-docker.pkg.dev/acme-prod/flows/hello';
const PARENT = 'projects/acme-prod/locations/europe-west3';

function place(image: string) {
  const repository = parseRepository(image);
  const google = decideRegistryHost(repository.host, 'auto', {});
  if (google.kind !== 'gar' && google.kind !== 'gcr') throw new Error(`${image} is not on Google`);
  return { repository, google };
}

describe('readGoogleRepository', () => {
  it.each([
    [IMAGE, { project: 'acme-prod', location: 'europe-west3', repository: 'flows' }],
    ['us-docker.pkg.dev/acme-prod/flows/team/hello', { project: 'acme-prod', location: 'us', repository: 'flows' }],
    [
      'us-docker.pkg.dev/acme.example/prod/flows/hello',
      { project: 'acme.example:prod', location: 'us', repository: 'flows' },
    ],
    ['gcr.io/acme-prod/hello', { project: 'acme-prod', location: 'us', repository: 'gcr.io' }],
    ['eu.gcr.io/acme-prod/team/hello', { project: 'acme-prod', location: 'europe', repository: 'eu.gcr.io' }],
    [
      'asia.gcr.io/acme.example/prod/hello',
      { project: 'acme.example:prod', location: 'asia', repository: 'asia.gcr.io' },
    ],
  ])('of %s', (image, expected) => {
    const { repository, google } = place(image);
    expect(readGoogleRepository(repository, google)).toEqual(expected);
  });

  it.each([
    'us-docker.pkg.dev/acme-prod/flows',
    'us-docker.pkg.dev/acme.example/prod/flows',
    'gcr.io/acme-prod',
  ])('refuses %s, which names no image in a repository', (image) => {
    const { repository, google } = place(image);
    expect(() => readGoogleRepository(repository, google)).toThrow('names no image inside a repository');
  });

  it('wants to know the location', () => {
    const google = { kind: 'gar', location: undefined } as const;
    expect(() => readGoogleRepository({ host: 'images.example', path: 'a/b/c' }, google)).toThrow(
      'cannot tell the location',
    );
  });
});

/** Google is played by its answers; the whole way to a pushed manifest is in test/e2e/clouds.test.ts. */
describe('ensureGoogleRepository', () => {
  let world: TestWorld;
  let asked: string[];

  beforeEach(async () => {
    world = await openTestWorld();
    asked = [];
  });
  afterEach(() => world.close());

  const GET = `GET ${PARENT}/repositories/flows`;
  const POST = `POST ${PARENT}/repositories?repositoryId=flows {"format":"DOCKER"}`;
  const POLL = `GET ${PARENT}/operations/1`;
  const begun = { name: `${PARENT}/operations/1` };
  const denied = { error: { code: 403, message: "Permission 'artifactregistry.repositories.create' denied" } };

  it.each<[string, [number, unknown][], string, string[]]>([
    ['leaves one that exists', [[200, {}]], 'exists', [GET]],
    [
      'creates a missing one and waits for it',
      [
        [404, {}],
        [200, begun],
        [200, begun],
        [200, { ...begun, done: true }],
      ],
      'created',
      [GET, POST, POLL, POLL],
    ],
    [
      'creates where it may not look',
      [
        [403, {}],
        [200, { ...begun, done: true }],
      ],
      'created',
      [GET, POST],
    ],
    [
      'is content with one that another job created',
      [
        [404, {}],
        [409, {}],
      ],
      'exists',
      [GET, POST],
    ],
    [
      'also when that is known late',
      [
        [404, {}],
        [200, begun],
        [200, { ...begun, done: true, error: { code: 6 } }],
      ],
      'exists',
      [GET, POST, POLL],
    ],
  ])('%s', async (_what, answers, outcome, requests) => {
    expect(await ensure(answers)).toBe(outcome);
    expect(asked).toEqual(requests);
  });

  it.each<[string, [number, unknown][], string, string]>([
    [
      'it may not create',
      [
        [404, {}],
        [403, denied],
      ],
      'for the account: Permission',
      'artifactregistry.repositories.create',
    ],
    [
      'the API is off',
      [
        [404, {}],
        [403, { error: { message: 'API has not been used in project 1' } }],
      ],
      'has not been used',
      'Enable the Artifact Registry API',
    ],
    [
      'creating fails late',
      [
        [404, {}],
        [200, { ...begun, done: true, error: { code: 8, message: 'quota' } }],
      ],
      ': quota',
      'Check the project',
    ],
    [
      'the answer is nonsense',
      [
        [404, {}],
        [200, 'hello'],
      ],
      'without an operation',
      'Check the project',
    ],
    ['looking fails', [[400, { error: { message: 'bad name' } }]], ': bad name', 'Check the project'],
  ])('says what to mend when %s', async (_what, answers, message, remedy) => {
    await expect(ensure(answers)).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(`^Artifact Registry does not create acme-prod/flows in europe-west3 .*${message}`),
      ),
      remedy: expect.stringContaining(remedy),
    });
  });

  it('does not wait for ever', async () => {
    const pending = Array.from({ length: 100 }, (): [number, unknown] => [200, begun]);
    await expect(ensure([[404, {}], ...pending])).rejects.toThrow('did not end within 120 s');
  });

  function ensure(answers: [number, unknown][]) {
    const playing: typeof fetch = (url, options) => {
      const { pathname, search } = new URL(String(url));
      const body = options?.body === undefined ? '' : ` ${Buffer.from(options.body as Uint8Array).toString('utf8')}`;
      asked.push(`${options?.method} ${pathname.slice('/v1/'.length)}${search}${body}`);
      const [status, json] = answers[asked.length - 1] ?? [500, {}];
      expect(new Headers(options?.headers).get('authorization')).toBe('Bearer access-token');
      return Promise.resolve(Response.json(json, { status }));
    };
    const { repository, google } = place(IMAGE);
    const identity = { token: 'access-token', source: 'the account' };
    return ensureGoogleRepository(repository, google, identity, { ...world, fetch: playing }, world.signal);
  }
});
