from enum import Enum


class Color(Enum):
    RED = "red"
    GREEN = "green"


DEFAULT = Color.GREEN
