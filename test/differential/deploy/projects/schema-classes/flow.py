import dataclasses
from dataclasses import dataclass, field
from typing import Callable, NamedTuple, NewType, TypeAlias, TypeVar

from prefect import flow
from prefect.blocks.system import Secret
from typing_extensions import NotRequired, TypedDict

Ident = NewType("Ident", int)
Rows: TypeAlias = "list[dict[str, int]]"
T = TypeVar("T")


@dataclass
class Config:
    """Configures."""

    host: str
    port: int = 5432
    options: dict[str, str] = field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Deep:
    config: Config
    names: tuple[str, ...] = ()


class Options(TypedDict, total=False):
    level: str
    count: int


class Needed(TypedDict):
    a: int
    b: NotRequired[str]


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Plain:
    def __init__(self, a):
        self.a = a


@flow
def classes(config: Config, deep: Deep | None = None, plain: Plain = None, call: Callable[[int], str] = print):
    pass


@flow
def typed(options: Options = {}, needed: Needed = {"a": 1}, point: Point = Point(1), ident: Ident = 1, rows: Rows = []):
    pass


@flow
def blocks(secret: Secret, generic: T = None, later: "Later" = None):
    pass


class Later:
    pass
