import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, Set, Tuple, Union
from uuid import UUID

from prefect import flow
from pydantic import AnyUrl, SecretStr


class Color(str, Enum):
    """Colors."""

    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(Enum):
    A = "a"
    ONE = 1
    NONE = None


@flow
def simple(
    a: int,
    b: str = "b",
    c: float = 1.0,
    d: bool = True,
    e: Optional[int] = None,
    f: "str | None" = None,
    g: Union[int, str, None] = 3,
    h: Any = None,
    i=5,
    j: None = None,
    k: object = 1,
    *,
    must: str,
    may: int = 2,
):
    pass


@flow
def containers(
    a: list,
    b: List[int] = [1, 2],
    c: Dict[str, float] = {"x": 1.5},
    d: Set[str] = {"one"},
    e: Tuple[int, str] = (1, "a"),
    f: tuple[int, ...] = (),
    g: dict[str, list[Optional[Color]]] = {},
    h: Sequence[Path] = (),
    i: Mapping[str, Any] = {},
    j: Iterable[int] = (1,),
    k: frozenset[int] = frozenset(),
    l: list[list[dict[str, int]]] = [],
):
    pass


@flow
def special(
    color: Color = Color.RED,
    level: Optional[Level] = Level.HIGH,
    mixed: Mixed = Mixed.NONE,
    choice: Literal["a", "b", 3] = "a",
    one: Literal["only"] = "only",
    when: datetime.datetime = datetime.datetime(2026, 1, 2, 3, 4, 5),
    day: datetime.date = datetime.date(2026, 1, 2),
    delta: datetime.timedelta = datetime.timedelta(hours=1, minutes=30),
    time: datetime.time = datetime.time(12, 30),
    path: Path = Path("/tmp/x"),
    ident: Optional[UUID] = None,
    amount: Decimal = Decimal("1.10"),
    url: AnyUrl = "https://example.com",
    secret: SecretStr = SecretStr("hidden"),
    data: bytes = b"bytes",
    many: list[Color] = [Color.RED, Color.GREEN],
):
    pass


@flow
def variadic(first, /, *args: int, key: str = "k", **kwargs: str):
    pass


@flow
def shadows(json: str = "x", copy: int = 1, schema: bool = False, dict: str = "d", validate: float = 0.5):
    pass
