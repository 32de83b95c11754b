import os

from prefect import flow


@flow
def run_it(a: int = 1, home: str = os.path.join("a", "b")):
    pass


raise RuntimeError("half-way")
