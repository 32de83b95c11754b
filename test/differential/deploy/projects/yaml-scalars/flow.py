from prefect import flow


@flow
def anything(values: dict = {}, day=None, flag=None):
    pass
