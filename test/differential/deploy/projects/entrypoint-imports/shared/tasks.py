from prefect import flow


@flow(name="shared-flow", description="From the library.")
def shared_flow(a: int, b: str = "b"):
    """Docstring that the description hides."""
