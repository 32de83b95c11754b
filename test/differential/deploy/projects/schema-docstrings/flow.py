from prefect import flow


@flow
def google(a: int, b: str = "x", c: float = 1.5, *args, **kwargs):
    """Does things.

    Args:
        a (int): the first
            goes on

            and on
        b: {{ braces }} and "quotes" and `code`: with colons
        c:
            below
        *args: more
        **kwargs: more

    Returns:
        Nothing.
    """


@flow
def twice(a: int = 1, b: int = 2):
    """
    Parameters: with a title
        a: first section

    Text between.

    Arguments:
        b: second section
    """


@flow
def numpy(a: int = 1):
    """Other style.

    Parameters
    ----------
    a : int
        Not read.
    """


@flow
def odd(a: int = 1, b: int = 2):
    """Args:
        a: on the first line
    """


@flow
def unicode_text(größe: int = 1):
    """Ünï.

    Args:
        größe: die Größe 🚀
    """
