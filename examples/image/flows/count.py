import humanize
from prefect import flow


@flow(log_prints=True)
def count(to: int = 42):
    """Counts.

    Args:
        to: How far.
    """
    print(f"Counted to {humanize.intcomma(to)}")


if __name__ == "__main__":
    count()
