from pydantic import BaseModel


class Row(BaseModel):
    """A row."""

    id: int
    name: str = "x"
