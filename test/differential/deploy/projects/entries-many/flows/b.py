from prefect import flow


@flow(name="load orders", description="Loads orders.", version="7")
def load(day: str, tables: list[str] = ["orders"]):
    pass
