/**
 * node:http, not imported: an import reads all exports of a module of Node's own, and one of this one's loads Node's copy
 * of undici, which the worker has already (prefect/client/one-undici.ts).
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');
