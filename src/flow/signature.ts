import type { FlowTarget } from './decorator.ts';
