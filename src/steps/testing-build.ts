import type { JsonObject } from '@slipway/prefect/json';
import type { StepSpec } from '../project/model.ts';
import { buildDockerImage } from './build-docker-image.ts';
import { BUILD } from './testing-prepare.ts';
import { type TestSettings, testRun } from './testing-run.ts';

/** A step of prefect.yaml, at line 9. */
export function spec(name: string, inputs: JsonObject, id?: string): StepSpec {
  return { function: name, inputs, id, requires: [], raw: {}, where: { file: 'prefect.yaml', line: 9, column: 3 } };
}

/** Runs one build step, at line 3, with the steps that follow it and the pull steps of its deployment. */
export async function build(
  inputs: JsonObject,
  settings: TestSettings & { id?: string; step?: Partial<StepSpec>; following?: StepSpec[]; pull?: StepSpec[] } = {},
) {
  const { id, pull, ...more } = settings;
  const step = { ...(await testRun(inputs, { step: { function: BUILD, id }, ...more })), pull };
  const early = await buildDockerImage.run(step);
  await step.images.queue.run();
  const made = await early.image?.made;
  const late = early.late === undefined || made === undefined ? {} : { [early.late.name]: early.late.from(made) };
  const result = { ...early, outputs: { ...early.outputs, ...late } };
  return { step, result, plan: result.image?.plan, world: step.context.world };
}
