from prefect import flow


@flow
def hello(a: int, b: str = "x"):
    """One.

    Args:
        a: old
    """
