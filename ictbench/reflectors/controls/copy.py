"""Controls: short scripts that copy from the text that a model would read, and ignore how the episodes ended.

All of them write `Walk onto "symbol"` for the first symbol of the text, and a constant: `When you see "You see here",
choose "pickup"`. Two of them add the action that comes last, or most often, for the item picked up. In a prompt with an
order, such as `Do "clean" before "move".`, they put that action in the place of the first one, as `one-action` does. A
reflector that does not beat them may be naming what it is shown.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from ictbench.records import Reflection
from ictbench.reflectors.llm.lessons import TITLE
from ictbench.reflectors.llm.llm_reflector import experience_format, format_experience
from ictbench.reflectors.llm.one_action import has_order, name_action
from ictbench.reflectors.llm.prompt_sections import append_section
from ictbench.reflectors.reflector import Context, Reflector
from ictbench.reflectors.tally_digest import LATER
from ictbench.rules_text.rules import Act, Choose, Rule, Walk, action_kind, parse_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.models import ChatModel
    from ictbench.records import Trajectory

SEEN, PICKUP = "You see here", "pickup"
MOVES = frozenset({"step", "run", PICKUP})
"""Kinds of actions that are not copied: moves, and the constant."""

_SYMBOLS = re.compile(r"^Symbols: (.*)$", re.MULTILINE)
_QUOTED = re.compile(r'"(.)"')
_ACTION = re.compile(r"^(?P<action>[a-z]\w*)(?: \w+)?(?::(?P<text>.*)|$)")
_LABEL = re.compile(r"(?:^|[ :])(\w -) ")
"""Letter of an item in the inventory. NetHack gives the next free one to an item that is picked up."""
_NUMBER = re.compile(r"Episode (\d+):$")


class Mention(NamedTuple):
    """An action in the text."""

    action: str
    episode: int
    """Number of its episode; 0 where the text does not say."""
    text: str
    """What its line says of it."""


class CopyReflector(Reflector):
    """Copies the first symbol, and adds a constant rule."""

    trained_on = ()
    control = "it copies from its text and ignores how the episodes ended"
    ignores: ClassVar[Literal["", "outcomes", "episodes"]] = "outcomes"
    formats: ClassVar[tuple[ExperienceFormat, ...]] = ("events", "tally")

    def __init__(self, model: ChatModel | None = None, *, experience: JsonValue = None, **options: Any) -> None:
        """Store the format of the experience, which is one of `formats`; None means the first."""
        super().__init__(model, **options)
        self._format = experience_format(type(self), experience)

    symbols: ClassVar[int | None] = 1
    """Number of symbols that are copied; None for all."""

    def pick_action(self, mentions: Sequence[Mention]) -> str | None:
        """Return the action to copy; None for none."""
        return None

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Replace the rules of the prompt, or the action that it orders; with nothing to copy, keep the prompt."""
        text = format_experience(self._format, prompt, trajectories, context.loop_seed)
        known = MOVES | {action_kind(rule.pattern) for rule in parse_rules(prompt) if isinstance(rule, Act)}
        action = self.pick_action([one for one in find_mentions(text) if one.action not in known])
        line = _SYMBOLS.search(text)
        if has_order(prompt):
            improved = name_action(prompt, action) if action else prompt
        elif line is None:
            improved = prompt
        else:
            symbols = _QUOTED.findall(line[1])[: self.symbols]
            rules: list[Rule] = [*map(Walk, symbols), Choose(SEEN, PICKUP)]
            if action and (label := find_label(text)):
                rules.append(Choose(label, action))
            improved = append_section(prompt.partition(TITLE)[0].rstrip(), TITLE, list(map(str, rules)))
        if len(improved.encode()) > context.prompt_cap:
            return Reflection(prompt=None, failure="too_long", state=state)
        return Reflection(prompt=improved, state=state)


class CopyLastReflector(CopyReflector):
    """Copies the first symbol, and the last action of the last episode."""

    def pick_action(self, mentions: Sequence[Mention]) -> str | None:
        """Return the last action that the text shows of its last episode."""
        last = max((one.episode for one in mentions), default=0)
        return next((one.action for one in reversed(mentions) if one.episode == last), None)


class CopyCommonestReflector(CopyReflector):
    """Copies the first symbol, and the commonest action."""

    def pick_action(self, mentions: Sequence[Mention]) -> str | None:
        """Return the action that the text shows most often, the first one on ties."""
        return next((action for action, _ in Counter(one.action for one in mentions).most_common(1)), None)


def find_mentions(text: str) -> list[Mention]:
    """Return the actions that a digest shows, in its order."""
    mentions: list[Mention] = []
    episode = 0
    for line in text.splitlines():
        if number := _NUMBER.match(line):
            episode = int(number[1])
        elif match := _ACTION.match(line):
            mentions.append(Mention(match["action"], episode, (match["text"] or "").strip()))
    return mentions


def find_label(text: str) -> str | None:
    """Return the letter of the item that was picked up, with its dash, e.g. `f -`: the last in the alphabet."""
    lines = (line for line in text.splitlines() if line.startswith((f"{PICKUP}:", f"{LATER}:")))
    return max((label for line in lines for label in _LABEL.findall(line)), default=None)
