import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import type { HeldImage, Manifest } from '../registry/manifests.ts';
import { someRevision } from '../source/testing-revision.ts';
import { type Fingerprint, INPUTS_LABEL } from './fingerprint.ts';
import type { ImagePlan } from './model.ts';
import { type ReuseContext, reuseImage } from './reuse.ts';
import { somePlan } from './testing-plan.ts';

const HASH = `sha256:${'1'.repeat(64)}`;
const DIGEST = `sha256:${'d'.repeat(64)}`;
const SHA = '0123456789abcdef0123456789abcdef01234567';
const KNOWN: Fingerprint = { kind: 'known', hash: HASH };
const SAME = { [INPUTS_LABEL]: HASH };

/** What the registry answers is scripted; a real one is asked in test/e2e/reuse.test.ts. */
describe('reuseImage', () => {
  let logged: string[];
  let looked: string[];
  let tagged: { tag: string; manifest: Manifest }[];
  beforeEach(() => {
    logged = [];
    looked = [];
    tagged = [];
  });

  it('takes the image that the registry holds under the commit’s tag', async () => {
    expect(await reuse({}, [SAME])).toMatchObject({
      image: `localhost:5000/hello:${SHA}`,
      imageRef: `localhost:5000/hello@${DIGEST}`,
      digest: DIGEST,
      isReused: true,
    });
    expect(looked).toEqual([SHA]);
    expect(logged).toEqual([
      `localhost:5000/hello:${SHA} exists and was built from the same inputs (${DIGEST}): it is not built again.`,
    ]);
  });

  it('puts the other tags on the same manifest', async () => {
    const found = await reuse({ tags: ['latest', SHA, 'v1'] }, [SAME]);
    expect(found?.image).toBe('localhost:5000/hello:latest');
    expect(tagged.map(({ tag, manifest }) => [tag, manifest.digest])).toEqual([
      ['latest', DIGEST],
      ['v1', DIGEST],
    ]);
  });

  it('takes an index when every platform was built from the same inputs', async () => {
    expect((await reuse({}, [SAME, SAME]))?.digest).toBe(DIGEST);
    expect(await reuse({}, [SAME, { [INPUTS_LABEL]: 'sha256:other' }])).toBeUndefined();
  });

  it.each<[string, Partial<ImagePlan>, Partial<ReuseContext>, Fingerprint]>([
    ['if-exists is rebuild', {}, { ifExists: 'rebuild' }, KNOWN],
    ['ignore_cache is set', { freshBecause: 'ignore_cache is set' }, {}, KNOWN],
    ['it is to be built without a cache', { noCache: true }, {}, KNOWN],
    ['none of its tags names the commit', { tags: ['latest'] }, {}, KNOWN],
    ['the work tree has changes', {}, {}, { kind: 'unknown', because: 'the work tree has changes' }],
  ])('asks for nothing when %s', async (because, plan, context, inputs) => {
    expect(await reuse(plan, [SAME], context, inputs)).toBeUndefined();
    expect(looked).toEqual([]);
    expect(logged.join()).toContain(`is built whatever the registry holds: ${because}.`);
  });

  it.each<[string, readonly Record<string, string>[] | undefined | Problem, string]>([
    ['nothing is there', undefined, 'does not exist yet and is built'],
    ['other inputs are told', [{ [INPUTS_LABEL]: 'sha256:other' }], 'it was built from other inputs'],
    ['no inputs are told', [{}], 'it does not say what it was built from (label slipway.inputs)'],
    ['an index is empty', [], 'it does not say what it was built from (label slipway.inputs)'],
    ['one may not look', new Problem('no', { remedy: '' }), 'as it cannot be seen whether it exists: no'],
  ])('builds when %s', async (_what, held, said) => {
    expect(await reuse({}, held)).toBeUndefined();
    expect(logged.join()).toContain(said);
    expect(tagged).toEqual([]);
  });

  it('is a problem when a further tag is refused', async () => {
    const refuse = () => Promise.reject(new Problem('the tag is immutable', { remedy: '' }));
    const access = { readImage: async () => heldWith([SAME]), tagManifest: refuse };
    await expect(reuse({ tags: [SHA, 'latest'] }, [], { access })).rejects.toThrow('the tag is immutable');
  });

  function reuse(
    plan: Partial<ImagePlan>,
    held: readonly Record<string, string>[] | undefined | Problem,
    context: Partial<ReuseContext> = {},
    inputs = KNOWN,
  ) {
    return reuseImage(somePlan({ tags: [SHA], ...plan }), inputs, {
      ifExists: 'reuse',
      revision: someRevision(),
      access: {
        async readImage(tag) {
          looked.push(tag);
          if (held instanceof Problem) throw held;
          return held === undefined ? undefined : heldWith(held);
        },
        async tagManifest(tag, manifest) {
          tagged.push({ tag, manifest });
        },
      },
      world: {
        clock: { now: () => 0, sleep: async () => undefined },
        log: {
          info: (text) => void logged.push(text),
          debug: () => undefined,
          warning: () => undefined,
          group: (_title, body) => body(),
          mask: () => undefined,
          redact: (text) => text,
        },
      },
      ...context,
    });
  }

  function heldWith(labels: readonly Record<string, string>[]): HeldImage {
    return { digest: DIGEST, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes: new Uint8Array(), labels };
  }
});
