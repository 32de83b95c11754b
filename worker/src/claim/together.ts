/**
 * First proposals of several runs in one request: the server decides on eight at once for less than half of what it
 * takes it for eight one by one, and its time is what a burst of runs waits for.
 *
 * Failure model. The server makes each run Pending by itself, one after the other, so that an answer that is lost, late
 * or an error leaves some of them claimed and some not. Nothing is repeated here: each run whose answer is not definite
 * is looked at and proposed alone by its own claim, with the id that all of its group share (claim.ts). A group is closed
 * when its turn comes. The first of a burst goes alone, so that the first Job waits for nobody. A server that does not
 * know the request is asked once; after that every run goes alone.
 */
import { randomUUID } from 'node:crypto';
import { type Orchestration, PrefectAnswerError, PrefectApiError, type StateProposal } from '@slipway/prefect/client';

/** A proposal that is under way, or waits for its turn. */
export interface Proposed {
  readonly transitionId: string;
  /** Undefined when there is no definite answer; rejects as the request did. */
  readonly answer: Promise<Orchestration | undefined>;
}

export interface TogetherOptions {
  readonly proposeOne: (run: string, proposal: StateProposal) => Promise<Orchestration>;
  /** Runs without a definite answer are left out. */
  readonly proposeAll: (
    runs: readonly string[],
    proposal: StateProposal,
  ) => Promise<ReadonlyMap<string, Orchestration>>;
  /** Sends when there is a place; is told how many runs wait for the answer. */
  readonly inTurn: <T>(send: () => Promise<T>, runs: () => number) => Promise<T>;
}

/** More would make those that are claimed first wait for those that are claimed last. */
const MOST = 8;

interface Group {
  readonly transitionId: string;
  readonly runs: string[];
  readonly most: number;
  readonly answers: Promise<ReadonlyMap<string, Orchestration>>;
}

/** True when the server does not take the request at all, or answers something else: one run alone it may take. */
function isRefusal(error: unknown): boolean {
  if (error instanceof PrefectAnswerError) return true;
  if (!(error instanceof PrefectApiError) || error.status >= 500) return false;
  return ![401, 408, 429].includes(error.status);
}

/** @returns proposes that a run becomes Pending, together with others that wait for their turn. */
export function proposeTogether({ proposeOne, proposeAll, inTurn }: TogetherOptions): (run: string) => Proposed {
  let open: Group | undefined;
  let underWay = 0;
  let isKnown = true;

  async function send({ transitionId, runs }: Pick<Group, 'transitionId' | 'runs'>) {
    const proposal: StateProposal = { type: 'PENDING', name: 'Pending', transitionId };
    const [first] = runs;
    if (first !== undefined && runs.length === 1) return new Map([[first, await proposeOne(first, proposal)]]);
    try {
      return await proposeAll(runs, proposal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      isKnown = false;
      return new Map<string, Orchestration>();
    }
  }

  function begin(): Group {
    const group = { transitionId: randomUUID(), runs: [] as string[], most: underWay === 0 || !isKnown ? 1 : MOST };
    underWay += 1;
    const close = () => {
      if (open?.runs === group.runs) open = undefined;
      return send(group);
    };
    const answers = inTurn(close, () => group.runs.length).finally(() => {
      underWay -= 1;
    });
    return { ...group, answers };
  }

  return (run) => {
    if (open === undefined || open.runs.length >= open.most) open = begin();
    const { transitionId, runs, answers } = open;
    runs.push(run);
    return { transitionId, answer: answers.then((all) => all.get(run)) };
  };
}
