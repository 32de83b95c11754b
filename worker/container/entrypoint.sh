#!/bin/sh
# Prefect's images install EXTRA_PIP_PACKAGES here. There is no Python in this one.
if [ -n "$EXTRA_PIP_PACKAGES" ]; then
  echo "EXTRA_PIP_PACKAGES has no effect on the worker: set it in the env of the work pool, where the flows run." >&2
fi
[ $# -gt 0 ] || set -- slipway-worker --help
exec "$@"
