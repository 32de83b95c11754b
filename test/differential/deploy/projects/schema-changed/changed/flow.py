from prefect import flow


@flow
def hello(a: float = 2, c: list[str] | None = None):
    """Two.

    Args:
        a: new
    """
