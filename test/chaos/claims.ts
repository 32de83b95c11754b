import * as z from 'zod';
import type { Asked } from './faults.ts';

const Proposal = z.object({
  state: z.object({ type: z.string() }),
  flow_runs: z.object({ id: z.object({ any_: z.array(z.string()) }) }).nullish(),
});

/** The runs that a request to Prefect claims: one by its path, or several by its body; none when it is another request. */
export function runsClaimedBy({ side, method, url, body }: Asked): readonly string[] {
  const found = /\/flow_runs\/(?:([0-9a-f-]{36})\/|bulk_)set_state$/.exec(url);
  if (side !== 'prefect' || method !== 'POST' || found === null) return [];
  const { state, flow_runs } = Proposal.parse(JSON.parse(body));
  if (state.type !== 'PENDING') return [];
  return found[1] === undefined ? (flow_runs?.id.any_ ?? []) : [found[1]];
}
