import functools

import prefect
from prefect import flow as make_flow
from prefect.flows import flow

PREFIX = "team"


@prefect.flow(log_prints=True, retries=2)
def attribute_Flow__x(a=1):
    pass


@make_flow(name=f"{PREFIX} formatted")
def formatted(a: int):
    pass


@flow(name=PREFIX + "-sum", description="""
    Several
    lines.
""")
async def asynchronous(a: int):
    pass


def twice(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


@flow
@twice
def wrapped(a: int, b: str = "x"):
    """Wrapped."""


@flow(name="Ünïcode flow")
def unicode_name(größe: float = 1.0):
    pass
