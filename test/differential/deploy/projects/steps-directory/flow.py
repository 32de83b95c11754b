from prefect import flow


@flow
def anything(
    name=None, count=None, rows=None, options=None, ratio=None, flag=None, text=None, big=None, nested=None
):
    pass
