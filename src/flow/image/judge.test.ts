import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../problem.ts';
import type { Flow, ParameterSchema } from '../model.ts';
import { judgeAnswer } from './judge.ts';
import type { Answer, CodePlace } from './model.ts';
import { type SchemaPolicy, type SchemaSource, schemaSource } from './source.ts';

const where = { file: 'prefect.yaml', line: 10, column: 3 };
const SCHEMA: JsonObject = { title: 'Parameters', type: 'object', properties: {} };
const EXACT: ParameterSchema = { kind: 'exact', schema: SCHEMA };
const APPROXIMATE: ParameterSchema = { kind: 'approximate', schema: SCHEMA, hasAllNames: true, reasons: ['r'] };
const PLACE: Extract<CodePlace, { kind: 'image' }> = { kind: 'image', image: 'i:1', isOurs: true, directories: [] };
const ELSEWHERE: CodePlace = { kind: 'elsewhere', why: 'is in no image of its own' };
const IN_IMAGE: SchemaSource = { from: 'image', place: PLACE };

const flow = (parameters: ParameterSchema): Flow => ({
  entrypoint: 'f.py:f',
  name: 'f',
  functionName: 'f',
  description: undefined,
  version: undefined,
  parameters,
});
const said: Answer = {
  kind: 'flow',
  name: 'f',
  description: 'D',
  version: '2',
  schema: { ...SCHEMA, required: ['x'] },
};

const judge = (
  policy: SchemaPolicy,
  source: SchemaSource,
  answer: Answer | undefined,
  parameters: ParameterSchema = APPROXIMATE,
) =>
  judgeAnswer(flow(parameters), source, answer, {
    policy,
    deployment: 'f/d',
    where,
    placeOf: ({ file, line }) => ({ file: `project/${file}`, line, column: 1 }),
  });

describe('the source of a schema', () => {
  it.each<[SchemaPolicy, ParameterSchema['kind'], CodePlace, 'plan' | 'deploy', SchemaSource['from']]>([
    ['static', 'exact', PLACE, 'deploy', 'source'],
    ['static', 'approximate', PLACE, 'deploy', 'source'],
    ['auto', 'exact', PLACE, 'deploy', 'source'],
    ['auto', 'exact', ELSEWHERE, 'deploy', 'source'],
    ['auto', 'approximate', PLACE, 'deploy', 'image'],
    ['auto', 'approximate', PLACE, 'plan', 'image at deploy'],
    ['auto', 'approximate', ELSEWHERE, 'deploy', 'nowhere'],
    ['auto', 'approximate', ELSEWHERE, 'plan', 'nowhere'],
    ['image', 'exact', PLACE, 'deploy', 'image'],
    ['image', 'exact', PLACE, 'plan', 'image at deploy'],
    ['image', 'exact', ELSEWHERE, 'plan', 'nowhere'],
  ])('with schema: %s, an %s reading, code in %j and mode %s is %s', (policy, kind, place, mode, from) => {
    expect(schemaSource(policy, kind, place, mode).from).toBe(from);
  });
});

describe('what an image says', () => {
  it('takes the place of what was read', () => {
    expect(judge('auto', IN_IMAGE, said)).toEqual({
      ...flow({ kind: 'exact', schema: { ...SCHEMA, required: ['x'] } }),
      description: 'D',
      version: '2',
    });
  });

  it('is known at deploy in a plan', () => {
    expect(judge('image', { from: 'image at deploy' }, undefined, EXACT).parameters).toEqual({
      kind: 'at deploy',
      schema: SCHEMA,
      hasAllNames: true,
    });
  });

  it('is not asked for where the source is enough', () => {
    expect(judge('static', { from: 'source' }, undefined)).toEqual(flow(APPROXIMATE));
  });

  const failures: [string, SchemaSource, Answer | undefined, string][] = [
    [
      'there is no image',
      { from: 'nowhere', why: 'comes with the pull step git_clone' },
      undefined,
      'deployment f/d: no image can be asked for its parameter schema, as its code comes with the pull step git_clone',
    ],
    [
      'nothing can run it',
      IN_IMAGE,
      { kind: 'not asked', reason: 'docker is not on the PATH', remedy: 'Use a runner with Docker.' },
      'the image cannot be asked for parameter schemas: docker is not on the PATH',
    ],
    [
      'it cannot load the flow',
      IN_IMAGE,
      { kind: 'not loaded', error: "KeyError: 'STAGE'", place: { file: 'f.py', line: 3 } },
      "the flow f.py:f cannot be loaded in its image: KeyError: 'STAGE'",
    ],
    [
      'it holds another flow',
      IN_IMAGE,
      { ...said, name: 'old' },
      "the image knows f.py:f as the flow 'old', the source as 'f'",
    ],
  ];

  it.each(failures)('is an error with schema: image when %s', (_name, source, answer, message) => {
    expect(() => judge('image', source, answer)).toThrow(message);
  });

  it.each(failures)('is one more reason with schema: auto when %s', (_name, source, answer, message) => {
    expect(judge('auto', source, answer)).toEqual(flow({ ...APPROXIMATE, reasons: ['r', message] }));
  });

  it('points at the line of the code that cannot be loaded', () => {
    const answer: Answer = { kind: 'not loaded', error: 'E', place: { file: 'f.py', line: 3 } };
    try {
      judge('image', IN_IMAGE, answer);
      expect.unreachable();
    } catch (error) {
      expect(error instanceof Problem && error.where).toEqual({ file: 'project/f.py', line: 3, column: 1 });
    }
  });
});
