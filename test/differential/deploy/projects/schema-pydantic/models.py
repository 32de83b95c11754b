from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, Optional, TypeVar, Union

from pydantic import BaseModel, ConfigDict, Field, field_validator

T = TypeVar("T")
Name = Annotated[str, Field(min_length=1, max_length=20)]


class Address(BaseModel):
    """Where somebody lives.

    In several lines.
    """

    street: str = Field(..., description="With number", examples=["Main 1"])
    zip_code: str = Field("00000", pattern=r"^\d{5}$", alias="zipCode")
    country: Literal["DE", "FR"] = "DE"


class Base(BaseModel):
    model_config = ConfigDict(extra="forbid", title="The base")

    created_at: Optional[datetime] = None


class Person(Base):
    name: Name
    age: int = Field(default=0, ge=0, lt=150, title="Age in years")
    home: Address
    others: list[Address] = Field(default_factory=list, max_length=3)
    friend: Optional[Person] = None
    tags: dict[str, Union[int, float]] = {}
    _private: int = 3

    @field_validator("name")
    @classmethod
    def check(cls, value: str) -> str:
        return value


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool = True


Pet = Annotated[Union[Cat, Dog], Field(discriminator="kind")]


class Empty(BaseModel):
    pass
