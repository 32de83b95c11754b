from prefect import flow


class Reports:
    @flow(name="class report")
    @classmethod
    def by_class(cls, day: str = "today"):
        """By class."""

    @flow
    @staticmethod
    def by_static(day: str, *, limit: int = 3):
        """By static.

        Args:
            day: the day
            limit: at most
        """

    @flow
    def by_instance(self, day: str, rows: list[int] = [1, 2]):
        pass


class Outer:
    class Inner:
        @flow
        @staticmethod
        def nested(x: float = 1.5):
            pass
