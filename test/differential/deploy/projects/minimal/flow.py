from prefect import flow


@flow
def hello(name: str = "Marvin"):
    print(f"Hello, {name}!")
