from prefect import flow


@flow
def hello(name: str = "Marvin", other: float = 2.5):
    """Says hello."""
