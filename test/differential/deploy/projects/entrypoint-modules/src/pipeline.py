from prefect import flow

from lib.models import Row


@flow
def pipeline(rows: list[Row] = []):
    pass
