import {
  type PrefectApi,
  readDeployments,
  readFlowRun,
  readFlowRunStates,
  readFlowsById,
  setFlowRunState,
  setFlowRunStates,
} from '@slipway/prefect/client';
import type { Pace } from '../pace/pace.ts';
import type { RunLog } from '../report/run-log.ts';
import type { Stopping } from '../submit/submit.ts';
import type { World } from '../world.ts';
import { openCatalog } from './catalog.ts';
import type { ClaimServices } from './claim.ts';
import { proposeTogether } from './together.ts';

/** What claims need of the Prefect API, at the pace that it can take. */
export function openClaimServices(
  api: PrefectApi,
  runLog: RunLog,
  pace: Pace,
  world: World,
  { stop, cut }: Stopping,
): ClaimServices {
  const proposeOne: ClaimServices['propose'] = (run, proposal, options) =>
    setFlowRunState(api, run, proposal, { ...options, once: true, signal: cut });
  return {
    begin: proposeTogether({
      proposeOne,
      proposeAll: (runs, proposal) => setFlowRunStates(api, runs, proposal, cut),
      inTurn: (send, runs) => pace.pass(send, runs),
    }),
    propose: (run, proposal, options) => {
      const send = () => proposeOne(run, proposal, options);
      return proposal.type === 'PENDING' ? pace.pass(send) : send();
    },
    currentState: async (run, signal) => (await readFlowRun(api, run, signal)).state ?? undefined,
    states: (run, signal) => readFlowRunStates(api, run, signal),
    catalog: openCatalog({
      readDeployments: (ids) => readDeployments(api, { ids }, stop),
      readFlows: (ids) => readFlowsById(api, ids, stop),
      clock: world.clock,
    }),
    tellRun: (run, level, message) => runLog.tell(run, level, message),
  };
}
