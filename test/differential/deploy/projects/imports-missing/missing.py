import nowhere_to_be_found
from nowhere_to_be_found.sub import Thing, thing
from prefect import flow

CLIENT = nowhere_to_be_found.connect()
DEFAULT = 5


@flow(name="without imports")
def run(a: Thing, b: int = DEFAULT, c: str = thing, d: "list[Thing]" = None, *, e: Thing):
    """Runs.

    Args:
        b: a number
    """
