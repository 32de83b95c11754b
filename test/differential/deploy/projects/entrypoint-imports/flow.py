from prefect import flow
from shared.tasks import shared_flow


def plain(x: int = 1):
    """Made a flow by a call."""


called = flow(plain)
named = flow(name="a name")(plain)
renamed = shared_flow.with_options(name="renamed", description="Renamed.")
