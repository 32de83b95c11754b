from prefect import flow


@flow
def hello():
    pass


@flow(version="flow-1")
def versioned():
    pass
