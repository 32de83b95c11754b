import { readFlow } from '../../src/flow/index.ts';
import { memoryFiles } from '../../src/flow/memory-files.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

/** Reads the named flow of one Python file, which imports from nowhere else in its repository. */
export async function runPythonCase(text: string, flow: string): Promise<Outcome> {
  const yaml = 'prefect.yaml';
  try {
    const { name, parameters } = await readFlow(`f.py:${flow}`, {
      directory: '/r',
      repository: '/r',
      files: memoryFiles({ '/r/f.py': text }),
      where: { file: yaml, line: 1, column: 1 },
    });
    JSON.stringify(parameters.schema);
    return { kind: 'result', words: name };
  } catch (error) {
    return outcomeOf(error, { [yaml]: 'entrypoint', 'f.py': text });
  }
}
