"""Interface of an external environment: how a suite file says what is shown, what can be done, and what is solved.

An external environment has observations, rewards and an end, but often no text, no list of available actions, and no
word for success. The param `interface` of a task fills these gaps. Nothing is guessed: what neither the environment nor
the interface says is an error before the first episode.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, JsonValue, ValidationError, model_validator

from ictbench.errors import ConfigError, PluginError
from ictbench.records import Record
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ictbench.records import Task


class Interface(Record):
    """What a suite file says about an external environment. Each field is optional."""

    text_from: str | None = None
    """Field of the observation that is shown. None for the whole observation, or its only text."""
    actions: tuple[str, ...] | dict[str, JsonValue] | None = Field(default=None, min_length=1)
    """Actions that are always available: their names, or their names with what the environment is given for each."""
    actions_from: str | None = None
    """Field in which the environment lists the actions that are available now."""
    solved_from: str | None = None
    """Field that is true once the task is solved."""
    solved_reward: float | None = Field(default=None, allow_inf_nan=False)
    """Reward of the last step from which on an episode that has ended is solved."""

    @model_validator(mode="after")
    def _check_alternatives(self) -> Self:
        if self.actions is not None and self.actions_from is not None:
            raise ValueError("`actions` and `actions_from` exclude each other")
        if self.solved_from is not None and self.solved_reward is not None:
            raise ValueError("`solved_from` and `solved_reward` exclude each other")
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = tuple(self.actions or ())
        for name in names:
            if not name or name != one_line(name):
                raise ValueError(f"action {name!r} is empty, or has spaces at its ends or in a row")
            if names.count(name) > 1:
                raise ValueError(f"`actions` names {name!r} twice; give each action a name of its own")
        return self

    @property
    def whole_messages(self) -> bool:
        """Whether each action stands for a message with fields of its own."""
        return isinstance(self.actions, dict) and all(isinstance(given, dict) for given in self.actions.values())

    def is_solved(self, fields: Mapping[str, Any], reward: float, ended: bool) -> bool:
        """Return whether the task is solved after a step.

        Args:
            fields: What the environment gave with its last observation.
            reward: Reward of the last step.
            ended: Whether the environment has ended the episode.

        Raises:
            PluginError: The field that says so is missing, or is neither true nor false.
        """
        if self.solved_from is not None:
            return _truth(_field(fields, self.solved_from, "solved_from"), self.solved_from)
        return ended and self.solved_reward is not None and reward >= self.solved_reward

    def offered(self, fields: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
        """Return the available actions, each with what the environment is given for it.

        Args:
            fields: As in `is_solved`.
            own: Actions that the environment names itself; the interface goes before them.

        Raises:
            PluginError: The field that lists them is missing, or holds something else, such as a mask.
        """
        if self.actions_from is not None:
            return offers_of(_field(fields, self.actions_from, "actions_from"), self.actions_from)
        if isinstance(self.actions, dict):
            return self.actions
        return dict(own) if self.actions is None else {name: name for name in self.actions}


class ExternalParams(Record):
    """Params of the tasks of an external environment."""

    interface: Interface = Interface()
    seed: int = Field(default=0, ge=0, lt=2**31, strict=True)

    @classmethod
    def of(cls, task: Task) -> Self:
        """Return the params of a task.

        Raises:
            ConfigError: They are not valid, or not known to the environment.
        """
        try:
            return cls.model_validate(task.params)
        except ValidationError as error:
            raise ConfigError(f"params of family {task.family!r}: {validation_message(error, cls)}") from error


def offers_of(listed: Any, name: str) -> dict[str, Any]:
    """Return the actions that an environment lists in a field, each with what it is given for it.

    Raises:
        PluginError: The field is not a list of different texts or numbers.
    """
    values = _plain(listed)
    if not is_action_list(values):
        raise PluginError(f"`actions_from: {name}` is {values!r:.80}, not a list of different texts or whole numbers")
    return {one_line(str(value)): value for value in values}


def is_action_list(value: Any) -> bool:
    """Return whether a value can be a list of actions; a mask, which repeats 0 or 1, cannot."""
    values = _plain(value)
    if not isinstance(values, list) or not all(type(one) in (str, int) for one in values):
        return False
    return len({one_line(str(one)) for one in values}) == len(values)


def one_line(text: str) -> str:
    """Return a text with single spaces, as an action is shown."""
    return " ".join(text.split())


def as_text(observation: Any, interface: Interface) -> str | None:
    """Return the text of an observation; None if it has none.

    Raises:
        PluginError: The observation lacks the field that is to be shown.
    """
    if interface.text_from is not None:
        if not isinstance(observation, dict) or interface.text_from not in observation:
            known = ", ".join(map(str, observation)) if isinstance(observation, dict) else type(observation).__name__
            raise PluginError(f"`text_from`: the observation has no field {interface.text_from!r} (it has: {known})")
        observation = observation[interface.text_from]
        return observation if isinstance(observation, str) else _json(observation, interface.text_from)
    if isinstance(observation, dict):
        texts = [value for value in observation.values() if isinstance(value, str)]
        return texts[0] if len(texts) == 1 else None
    return observation if isinstance(observation, str) else None


def require(interface: Interface, what: str, fields: Mapping[str, Any], *, knows_actions: bool) -> None:
    """Check that available actions and success are known.

    Args:
        interface: What the suite says.
        what: Name of the environment, for the error.
        fields: What the environment gave with its first observation.
        knows_actions: Whether the environment names its actions itself.

    Raises:
        ConfigError: One is not known.
    """
    if not knows_actions and interface.actions is None and interface.actions_from is None:
        lists = [name for name, value in fields.items() if is_action_list(value) and len(value)]
        raise ConfigError(
            f"{what} does not say which actions are available: add `actions: [...]` or `actions_from: FIELD` "
            f"(lists: {_named(lists)}) to `interface` in the params of the suite"
        )
    if interface.solved_from is None and interface.solved_reward is None:
        raise ConfigError(
            f"{what} does not say when a task is solved: add `solved_from: FIELD` (fields: {_named(fields)}) or "
            "`solved_reward: NUMBER` to `interface` in the params of the suite"
        )


def _field(fields: Mapping[str, Any], name: str, option: str) -> Any:
    if name not in fields:
        raise PluginError(f"`{option}: {name}`: the environment gave no such field (fields: {_named(fields)})")
    return fields[name]


def _plain(value: Any) -> Any:
    """Return an array, or a list of its numbers, as a list of Python's numbers; anything else as it is."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _truth(value: Any, name: str) -> bool:
    """Return a truth value, of which None and the numbers 0 and 1 are one, too; a score or a text is none."""
    value = _plain(value)
    if value is None or type(value) is bool or (type(value) is int and value in (0, 1)):
        return bool(value)
    raise PluginError(
        f"`solved_from: {name}` is {value!r:.80}, neither true nor false; use `solved_reward` for a score"
    )


def _json(value: Any, name: str) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise PluginError(f"`text_from: {name}`: {value!r:.80} is neither text nor plain JSON") from error


def _named(names: Iterable[str]) -> str:
    return ", ".join(map(str, names)) or "none"
