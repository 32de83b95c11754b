"""Prints the OpenAPI document of the installed Prefect server.

Run by `npm run generate` with the Python of the rig's Prefect (test/rig/prefect-requirements.txt).
"""

import json
import sys

from prefect.server.api.server import create_api_app

json.dump(create_api_app().openapi(), sys.stdout)
