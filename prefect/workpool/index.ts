/** Work pools' base job templates: the default one, changes to it, and what job variables make of it. */
export {
  checkTemplate,
  customizeTemplate,
  type TemplateCustomization,
  type TemplateProblem,
  WorkPoolTemplateError,
} from './customize.ts';
export type { JobVariableProblem } from './explain.ts';
export { validateDefaults, validateJobVariables, validateRunVariables } from './job-variables.ts';
export { defaultKubernetesTemplate } from './kubernetes-template.ts';
export { validateParameters } from './parameters.ts';
export {
  JobVariablesError,
  type MergedJobVariables,
  mergeJobVariables,
  type RenderInput,
  renderJobConfiguration,
} from './render.ts';
export type { Occasion } from './schema.ts';
export { unsettledOperations } from './settled.ts';
