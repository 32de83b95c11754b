from prefect import flow


@flow
def documented(a: int = 1):
    """
    Loads {{ $TABLE }} and {{ unknown.name }} of {{ prefect.variables.region }}.

    Second paragraph, "quoted", with a trailing blank: .

        indented

    Args:
        a: the number
            of things
    """


@flow(description="From the decorator, {{ $TABLE }}.")
def decorated():
    """Hidden."""


@flow
def bare():
    pass


@flow(description="")
def emptied():
    """Comes through."""
