import type { InputReader } from './reader.ts';

interface NotYet {
  /** Values that ask for nothing. */
  readonly neutral: readonly string[];
  readonly instead: string;
}

/** Inputs whose work this version does not do yet. */
const NOT_YET: Readonly<Record<string, NotYet>> = {
  prune: { neutral: ['', 'false'], instead: 'Delete deployments by hand.' },
  preview: { neutral: ['', 'false'], instead: 'Use mode: plan on pull requests.' },
  comment: { neutral: ['', 'auto', 'never'], instead: 'Read the plan in the job summary.' },
};

/** Refuses each input that asks for something this version cannot do, by name. */
export function refuseNotYet(reader: InputReader): void {
  for (const [name, { neutral, instead }] of Object.entries(NOT_YET)) {
    if (neutral.includes(reader.text(name))) continue;
    reader.refuse(`the input ${name} is not supported by this version of Slipway yet`, instead);
  }
}
