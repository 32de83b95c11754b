export type { Flow, ParameterSchema } from './model.ts';
export { type ReadFlowOptions, readFlow } from './read.ts';
export { PythonSources } from './sources.ts';
