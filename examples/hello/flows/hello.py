from prefect import flow
from prefect.logging import get_run_logger


@flow(log_prints=True)
def hello(name: str = "Marvin"):
    """Says hello.

    Args:
        name: Who is greeted.
    """
    get_run_logger().info("Hello, %s!", name)


if __name__ == "__main__":
    hello()
