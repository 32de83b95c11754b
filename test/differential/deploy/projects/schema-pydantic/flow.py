from typing import Annotated, Optional, Union

from models import Address, Cat, Dog, Empty, Person, Pet
from prefect import flow
from pydantic import Field, PositiveInt, conint, constr


@flow
def people(person: Person, maybe: Optional[Address] = None, many: list[Person] = []):
    pass


@flow
def pets(pet: Pet, either: Union[Cat, Dog] = Cat(), none: Empty = Empty()):
    pass


@flow
def instances(cat: Cat = Cat(lives=3), address: Address = Address(street="Main 1", zipCode="12345")):
    pass


@flow
def fields(
    a: Annotated[int, Field(ge=1, le=10, description="lost")] = 3,
    b: int = Field(5, description="kept", ge=1),
    c: conint(gt=3, multiple_of=2) = 4,
    d: constr(min_length=1, pattern="^a") = "a",
    e: PositiveInt = 1,
    f: list[Annotated[float, Field(gt=0.0, lt=1.5)]] = [0.5],
    g: str = Field(default="x", title="Title", json_schema_extra={"position": 9, "x": 1}),
    h: Optional[Annotated[str, Field(max_length=3)]] = None,
):
    """Fields.

    Args:
        a: of the docstring
        h: last
    """
