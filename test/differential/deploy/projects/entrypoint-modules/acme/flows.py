from prefect import flow

from .kinds import DEFAULT, Color


@flow
def paint(color: Color = DEFAULT):
    """Paints."""


@flow(name="module-flow")
def other(x: int):
    pass
