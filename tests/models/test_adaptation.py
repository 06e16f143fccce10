"""Properties of adapted requests, and of the search for the smallest adaptation."""

from __future__ import annotations

import asyncio
import copy
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ictbench.errors import EndpointRefusedError, ModelFailure
from ictbench.models import ChatModel, Completion, Constraint, ConstraintStyle, ModelPool
from ictbench.models.adaptation import Request, adapt_messages, adapt_parameters
from ictbench.models.providers.openai_messages import openai_constraint
from ictbench.models.rehearsal import Part, rehearse
from ictbench.records import Adaptation, ModelSpec, PluginSpec, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import Message

TOOLS = Constraint(ConstraintStyle.TOOLS, ("seed", "temperature", "strict"))
REJECTABLE = ("system", "alternation", "seed", "temperature", "max_tokens", "strict", "parallel_tool_calls", "named")
WORDS = {"alternation": "conversation roles must alternate", "named": "tool_choice must be a string"}
MOST_REQUESTS = 40

roles = st.sampled_from(["system", "user", "assistant"])
conversations = st.lists(st.tuples(roles, st.text(min_size=1)), min_size=1, max_size=8).map(
    lambda pairs: [{"role": role, "content": text} for role, text in pairs]
)
adaptations = st.builds(
    Adaptation,
    fold_system=st.booleans(),
    merge_roles=st.booleans(),
    token_limit=st.sampled_from([None, "max_tokens", "max_completion_tokens"]),
    tool_choice=st.sampled_from([None, "required"]),
    omit=st.sets(st.sampled_from(["maxLength", "parallel_tool_calls", "seed", "strict", "temperature"])).map(
        lambda names: tuple(sorted(names))
    ),
)


class PickyModel(ChatModel):
    """Model that rejects requests with something in `rejects`, with or without saying what."""

    rejects: frozenset[str] = frozenset()
    says_what = True
    requests = 0

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        type(self).requests += 1
        body: dict[str, Any] = {"max_tokens": 1, "temperature": 0, "seed": seed}
        body = adapt_parameters({**body, **(openai_constraint(constraint) if constraint else {})}, self.spec.adaptation)
        found = sorted(self.rejects & _features(messages, body))
        if found:
            words = WORDS.get(found[0], f"{found[0]} is not supported") if self.says_what else "no"
            raise ModelFailure("bad_request", words)
        return Completion("", Usage(), "length")

    @property
    def fingerprint(self) -> str | None:
        return None

    async def aclose(self) -> None: ...


def _features(messages: Sequence[Message], body: dict[str, Any]) -> set[str]:
    shown = [message["role"] for message in messages if message["role"] != "system"]
    features = {name for name in ("seed", "temperature", "max_tokens") if body.get(name) is not None}
    if len(shown) != len(messages):
        features.add("system")
    if any(one == other for one, other in pairwise(shown)):
        features.add("alternation")
    features |= {name for name in ("strict", "parallel_tool_calls") if f"'{name}':" in str(body)}
    if isinstance(body.get("tool_choice"), dict):
        features.add("named")
    return features


@settings(max_examples=60, deadline=None)
@given(rejects=st.frozensets(st.sampled_from(REJECTABLE)), says_what=st.booleans(), constrained=st.booleans())
def test_exactly_what_a_server_rejects_is_changed_in_few_requests(
    rejects: frozenset[str], says_what: bool, constrained: bool
) -> None:
    PickyModel.rejects, PickyModel.says_what, PickyModel.requests = rejects, says_what, 0
    messages: tuple[Message, ...] = (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "A door."},
        {"role": "user", "content": "A hall."},
    )
    request = Request(messages, 7, TOOLS if constrained else None)
    spec = ModelSpec(provider=f"{__name__}:PickyModel", model="")
    adaptation = asyncio.run(rehearse(ModelPool(), Part("actor", spec, (request,))))
    met = rejects if constrained else rejects - {"strict", "parallel_tool_calls", "named"}
    assert adaptation == Adaptation(
        fold_system="system" in met,
        merge_roles="alternation" in met,
        token_limit="max_completion_tokens" if "max_tokens" in met else None,
        tool_choice="required" if "named" in met else None,
        omit=tuple(sorted(met & {"seed", "temperature", "strict", "parallel_tool_calls"})),
    )
    assert PickyModel.requests <= MOST_REQUESTS


def test_a_server_that_rejects_everything_is_asked_a_bounded_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    for says_what in (True, False):
        PickyModel.says_what, PickyModel.requests = says_what, 0
        monkeypatch.setattr(PickyModel, "rejects", frozenset({"never accepted"}))
        monkeypatch.setitem(WORDS, "never accepted", "seed, temperature, max_tokens, system, strict, tool_choice: no")
        monkeypatch.setattr(f"{__name__}._features", lambda messages, body: {"never accepted"})
        request = Request(({"role": "system", "content": "a"}, {"role": "user", "content": "b"}), 7, TOOLS)
        spec = ModelSpec(provider=f"{__name__}:PickyModel", model="")
        with pytest.raises(EndpointRefusedError):
            asyncio.run(rehearse(ModelPool(), Part("actor", spec, (request,))))
        assert PickyModel.requests <= MOST_REQUESTS


@given(messages=conversations, adaptation=adaptations)
def test_adapted_messages_keep_every_text_in_its_order(messages: list[Message], adaptation: Adaptation) -> None:
    before = copy.deepcopy(messages)
    adapted = adapt_messages(messages, adaptation)
    assert messages == before
    first = [m["content"] for m in messages if m["role"] == "system"] if adaptation.fold_system else []
    rest = [m["content"] for m in messages if not (adaptation.fold_system and m["role"] == "system")]
    text, place = "\n\n".join(m["content"] for m in adapted), 0
    for part in [*first, *rest]:
        place = text.index(part, place) + len(part)
    if adaptation.fold_system:
        assert "system" not in {m["role"] for m in adapted}
    if adaptation.merge_roles:
        assert all(one["role"] != other["role"] for one, other in pairwise(adapted))


@given(adaptation=adaptations)
def test_adapted_parameters_keep_messages_and_choices(adaptation: Adaptation) -> None:
    messages = [{"role": "user", "content": "seed", "strict": "temperature"}]
    body = {"messages": messages, "max_tokens": 5, "temperature": 0.0, "seed": 3, **openai_constraint(TOOLS)}
    before = copy.deepcopy(body)
    adapted = adapt_parameters(body, adaptation)
    assert body == before
    assert adapted["messages"] == messages
    assert adapt_parameters(adapted, adaptation) == adapted
    assert adapted["tools"][0]["function"]["parameters"]["properties"]["action"]["enum"] == list(TOOLS.choices)
    assert adapted[adaptation.token_limit or "max_tokens"] == 5
    assert not {"seed", "temperature"} & set(adaptation.omit) & adapted.keys()


@given(adaptation=adaptations)
def test_a_spec_without_adaptation_is_written_as_before(adaptation: Adaptation) -> None:
    spec = ModelSpec(provider="openai", model="m", adaptation=adaptation)
    player = PluginSpec(label="m", name="react", model=spec)
    assert PluginSpec.model_validate_json(player.model_dump_json()) == player
    assert ("adaptation" in player.model_dump_json()) == (adaptation != Adaptation())
    assert bool(adaptation.in_words) == (adaptation != Adaptation())
