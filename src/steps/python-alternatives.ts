import type { StepSpec } from '../project/model.ts';

/** What to do instead of a step that only Python can run, by the end of its name. */
const ALTERNATIVES: readonly (readonly [RegExp, string])[] = [
  [/\.push_to_s3$/, 'Or copy the files in a run_shell_script step: `aws s3 sync . s3://BUCKET/FOLDER`.'],
  [/\.push_to_gcs$/, 'Or copy the files in a run_shell_script step: `gcloud storage rsync -r . gs://BUCKET/FOLDER`.'],
  [
    /\.push_to_azure_blob_storage$/,
    'Or copy the files in a run_shell_script step: `az storage blob upload-batch -d CONTAINER -s .`.',
  ],
  [
    /\.(?:pull_from_s3|pull_from_gcs|pull_from_azure_blob_storage|pull_from_remote_storage|pull_with_block)$/,
    'Or move it to `pull:`, where the worker runs it.',
  ],
];

/** How to get along when Python cannot run a step: set it up, or do the same without it. */
export function pythonRemedy(step: StepSpec): string {
  const alternative = ALTERNATIVES.find(([ending]) => ending.test(step.function))?.[1];
  const install = `Set Python up in a workflow step before (actions/setup-python) with ${packageOf(step)} installed.`;
  return alternative === undefined ? install : `${install} ${alternative}`;
}

/** The Python package a step comes from, as pip names it. */
export function packageOf(step: StepSpec): string {
  const [required] = step.requires;
  return required ?? (step.function.split(/[.:]/)[0] ?? '').replaceAll('_', '-');
}
