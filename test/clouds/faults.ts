import type { CloudAnswer, CloudRequest } from './cloud.ts';
import type { Interception } from './server.ts';

/** Which requests a fault meets. */
export interface FaultPlace {
  readonly host: string;
  readonly method?: string;
  /** A part of the path. */
  readonly path?: string;
  /** The beginning of the User-Agent: `buildkit` tells its requests from our own. */
  readonly agent?: string;
}

/** Answers the first requests to a place in the cloud's stead; `reset` breaks the connection. */
export function failing(place: FaultPlace, times: number, answer: CloudAnswer | 'reset'): Interception {
  let left = times;
  return (request) => {
    if (left === 0 || !isAt(request, place)) return undefined;
    left -= 1;
    return answer;
  };
}

/** Does something just before the first request to a place is answered. */
export function once(place: FaultPlace, happening: () => void): Interception {
  let done = false;
  return (request) => {
    if (!done && isAt(request, place)) {
      done = true;
      happening();
    }
    return undefined;
  };
}

function isAt(request: CloudRequest, { host, method, path = '', agent = '' }: FaultPlace): boolean {
  const isAsked = request.host === host && (method ?? request.method) === request.method;
  return isAsked && request.url.pathname.includes(path) && (request.headers['user-agent'] ?? '').startsWith(agent);
}
