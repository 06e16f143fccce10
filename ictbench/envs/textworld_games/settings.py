"""Settings of a game: the params of a task, validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from ictbench.errors import UsageError
from ictbench.records import Record
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from ictbench.records import Task

Split = Literal["train", "valid", "test"]


class GameSettings(Record):
    """What games of all challenges have in common."""

    seed: int = Field(ge=0, lt=2**63)
    split: Split = "train"
    """Foods, and ways to prepare them, that may occur: each split has some that no other has."""


class CoinSettings(GameSettings):
    """Coin collector: walk through empty rooms to the one with the coin, and take it."""

    challenge: Literal["coin"]
    length: int = Field(ge=1, le=50)
    """Rooms on the way to the coin, the first one included; as many commands solve the game."""
    rooms: int = Field(ge=1, le=100)
    """All rooms. Those that are not on the way are dead ends."""
    dead_ends: Literal["simple", "random"] = "simple"
    """simple: next to the way, one room deep; random: anywhere, several rooms deep."""

    @model_validator(mode="after")
    def _check_rooms(self) -> Self:
        if self.rooms < self.length:
            raise ValueError(f"a way of length {self.length} does not fit into {self.rooms} rooms")
        # TextWorld looks for a place next to the way until it finds one.
        if self.dead_ends == "simple" and self.rooms > 3 * self.length:
            raise ValueError(
                f"{self.rooms} rooms do not fit next to a way of length {self.length}; use random dead ends"
            )
        return self


class TreasureSettings(GameSettings):
    """Treasure hunter: find the thing that the task names and take it. Taking the other thing loses the game."""

    challenge: Literal["treasure"]
    mode: Literal["easy", "medium", "hard"]
    """easy: no doors or containers; medium: some are closed; hard: some are locked, and keys are carried."""
    length: int = Field(ge=1, le=20)
    """Commands that solve the game."""
    rooms: int = Field(ge=2, le=40)


class CookingSettings(GameSettings):
    """Cooking: read the recipe, take its ingredients, process them, prepare the meal and eat it."""

    challenge: Literal["cooking"]
    ingredients: int = Field(default=1, ge=1, le=5)
    cut: bool = False
    """Whether ingredients must be chopped, sliced or diced."""
    cook: bool = False
    """Whether ingredients must be fried or roasted, or, in a house with nine rooms or more, grilled."""
    rooms: Literal[1, 6, 9, 12] = 1

    @model_validator(mode="after")
    def _check_skills(self) -> Self:
        # There, TextWorld chooses foods that cannot be cut, and fails.
        if self.cut and not self.cook and self.rooms > 6:
            raise ValueError(f"with {self.rooms} rooms, `cut` needs `cook`; set `cook` as well, or `rooms` to 1 or 6")
        return self


Settings = CoinSettings | TreasureSettings | CookingSettings
_SETTINGS: TypeAdapter[Settings] = TypeAdapter(Annotated[Settings, Field(discriminator="challenge")])


def settings_of(task: Task) -> Settings:
    """Return the settings of a task's game.

    Raises:
        UsageError: The params are not those of a game.
    """
    try:
        return _SETTINGS.validate_python(dict(task.params), strict=True)
    except ValidationError as error:
        raise UsageError(f"task {task.id!r}: {validation_message(error)}") from error
