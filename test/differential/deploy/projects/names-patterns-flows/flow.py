from prefect import flow


@flow
def hello(name: str = "Marvin", count: int = 1):
    """Says hello."""


@flow
def hello_again():
    pass
