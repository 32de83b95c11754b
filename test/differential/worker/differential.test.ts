import { readFileSync } from 'node:fs';
import { type JsonObject, parseJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { canonical } from './canonical.ts';
import { type Answer, GOLDENS_FILE, Goldens, goldenKey, readCases } from './cases.ts';
import { DIFFERENCES, ourRequestsGiven, type Request } from './differences.ts';
import { ourJob, requestsFor, SUFFIX } from './our-job.ts';

const cases = readCases();
const goldens = Goldens.parse(parseJson(readFileSync(GOLDENS_FILE, 'utf8')));
const answers = new Map(goldens.answers.map((answer) => [answer.about, answer]));

function answerTo(about: string): Answer {
  const answer = answers.get(about);
  if (answer === undefined) throw new Error(`no golden for "${about}"`);
  return answer;
}

describe('Prefect’s answers', () => {
  it('are to these cases, by the locked Prefect', () => {
    expect(goldens.key, 'make them again: npm run test:differential:worker -- --write').toBe(goldenKey());
    expect([...answers.keys()]).toEqual(cases.map(({ about }) => about));
  });

  it('have every case for which a difference is listed', () => {
    expect(Object.keys(DIFFERENCES).filter((about) => !answers.has(about))).toEqual([]);
  });
});

describe('what is sent to Kubernetes is what Prefect 3.8.8 would send, but for the listed differences', () => {
  it.each(cases.map((each) => [each.about, each] as const))('%s', async (about, each) => {
    const answer = answerTo(about);
    const difference = DIFFERENCES[about];
    if ('error' in answer) {
      const ours = difference?.kind === 'words' ? difference.ours : wordsOf(answer.error);
      await expect(ourJob(each)).rejects.toHaveProperty('message', ours);
    } else {
      const expected = ourRequestsGiven(about, answer.requests, SUFFIX);
      const sent = await requestsFor(await ourJob(each));
      expect(canonical(sent.map(asJson))).toBe(canonical(expected.map(asJson)));
    }
  });
});

function asJson({ method, path, body }: Request): JsonObject {
  return { method, path, body };
}

/** The part of an error of Prefect's model that is Prefect's own, which ours has word by word. */
function wordsOf(error: string): string {
  return /Value error, (.*?)(?: \[type=value_error)/s.exec(error)?.[1] ?? error;
}
