import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import type { BuiltImage } from '../image/model.ts';
import { somePlan } from '../image/testing-plan.ts';
import { pinImage, withOwnImage } from './pin-image.ts';

const own: BuiltImage = {
  plan: somePlan({ repository: 'ghcr.io/acme/hello', tags: ['v1'] }),
  image: 'ghcr.io/acme/hello:v1',
  imageRef: 'ghcr.io/acme/hello@sha256:1',
  digest: 'sha256:1',
  seconds: 1,
};

describe('job variables beside the action’s own image', () => {
  it.each<[string, JsonObject, string]>([
    ['that image by its digest when they name none', {}, 'ghcr.io/acme/hello@sha256:1'],
    ['it when theirs is null', { image: null }, 'ghcr.io/acme/hello@sha256:1'],
    ['it when theirs came to nothing', { image: '' }, 'ghcr.io/acme/hello@sha256:1'],
    ['it when they name it by tag', { image: 'ghcr.io/acme/hello:v1' }, 'ghcr.io/acme/hello@sha256:1'],
    ['their own as it is written', { image: 'example.com/theirs:1' }, 'example.com/theirs:1'],
  ])('have %s', (_what, written, image) => {
    expect(pinImage(withOwnImage({ cpu: 1, ...written }, own), [own])).toEqual({ cpu: 1, image });
  });

  it('have its tag when it is not pushed', () => {
    const local = { ...own, plan: { ...own.plan, push: false }, imageRef: undefined, digest: undefined };
    expect(pinImage(withOwnImage({}, local), [local])).toEqual({ image: 'ghcr.io/acme/hello:v1' });
  });

  it('stay as they are without one', () => {
    expect(withOwnImage({ cpu: 1 }, undefined)).toEqual({ cpu: 1 });
  });
});
