"""Options of what is run, and of the actor and the reflector; a part of the declaration in `options`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ictbench.choices import DecodingName, ExperienceFormat, PastActions, ProfileName
from ictbench.runs.option import PLAYERS, SELECTION, option

DEFAULT_ENV = "minihack"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOptions:
    """Options of what is run."""

    env: str | None = option(
        None, "Environment; its newest suite is run.", SELECTION, default_text=DEFAULT_ENV, also=("collect",)
    )
    suite: str | None = option(
        None, "Suite by name or YAML file, instead of an environment.", SELECTION, also=("collect",)
    )
    families: tuple[str, ...] = option(
        ("all",),
        "Families by name, or held-out, meta-train, all; separate several by commas.",
        SELECTION,
        also=("collect",),
        collect=("meta-train",),
    )
    profile: ProfileName = option(
        "quick",
        "Named sizes; all but quick can be ranked.",
        SELECTION,
        also=("meta",),
        collect="standard",
        meta="standard",
    )
    start_prompt: str | None = option(
        None,
        "Text file, or folder of a run whose best prompts are taken, for prompt[0]; such a run is never ranked.",
        SELECTION,
        also=("collect",),
        default_text="the suite's own prompt",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerOptions(SuiteOptions):
    """Options of both players and their models, besides those of what is run."""

    reflector: str = option(
        "rules",
        "provider/model; ace:, cheatsheet:, expel:, gepa:, gepa-loop:, reasoningbank: or workflows:provider/model; "
        "rules (scripted), none (prompt unchanged), icl, retrieval, copy, copy-last, copy-commonest, file:PATH "
        "(hand-written prompt), module:Class; blind:, shuffled:, unlabelled:, flipped:, losses: or "
        "reflexion:REFLECTOR.",
        PLAYERS,
        also=("collect",),
    )
    actor: str | None = option(
        None,
        "provider/model, rules (scripted), module:Class.",
        PLAYERS,
        default_text="the reflector's own model",
        also=("collect",),
    )
    reflector_trained_on: tuple[str, ...] | None = option(
        None,
        "Families the reflector was trained on: SUITE/FAMILY, SUITE/meta-train, SUITE, other:NAME, several separated "
        "by commas, or nothing.",
        PLAYERS,
        default_text="what it declares; unknown for a model",
    )
    actor_trained_on: tuple[str, ...] | None = option(
        None,
        "Families the actor was trained on, in the same form.",
        PLAYERS,
        default_text="what it declares; unknown for a model",
    )
    reflector_instruction: Path | None = option(
        None,
        "Text file with the instruction of the reflector's model, for rewrite, gepa, gepa-loop and memory learners; "
        "part of the result.",
        PLAYERS,
        default_text="the reflector's own",
    )
    reflector_experience: ExperienceFormat | None = option(
        None,
        "Observations shown to the reflector's model: in full, only what changed (events), or each action with the "
        "outcomes of its episodes (tally).",
        PLAYERS,
        default_text="the reflector's usual",
        also=("collect",),
    )
    reflector_temperature: float | None = option(
        None,
        "Sampling temperature of the reflector's model.",
        PLAYERS,
        default_text="the suite's",
        minimum=0,
        also=("collect",),
    )
    reflector_max_tokens: int | None = option(
        None,
        "Maximum tokens of one reply of the reflector.",
        PLAYERS,
        default_text="the reflector's usual",
        minimum=1,
        also=("collect",),
    )
    reflector_top_p: float | None = option(
        None,
        "Share of the probability from which the reflector's model samples.",
        PLAYERS,
        default_text="the provider's",
        above=0,
        maximum=1,
        also=("collect",),
    )
    reflector_reasoning_effort: str | None = option(
        None,
        "How much the reflector's model reasons, e.g. low, medium or high.",
        PLAYERS,
        default_text="the provider's",
        also=("collect",),
    )
    reflector_stop: tuple[str, ...] = option(
        (), "Texts before which a reply of the reflector's model ends.", PLAYERS, verbatim=True, also=("collect",)
    )
    actor_temperature: float | None = option(
        None,
        "Sampling temperature of the actor's model.",
        PLAYERS,
        default_text="the suite's",
        minimum=0,
        also=("collect", "meta"),
    )
    actor_top_p: float | None = option(
        None,
        "Share of the probability from which the actor's model samples.",
        PLAYERS,
        default_text="the provider's",
        above=0,
        maximum=1,
        also=("collect", "meta"),
    )
    actor_reasoning_effort: str | None = option(
        None,
        "How much the actor's model reasons, e.g. low, medium or high.",
        PLAYERS,
        default_text="the provider's",
        also=("collect", "meta"),
    )
    actor_stop: tuple[str, ...] = option(
        (), "Texts before which a reply of the actor's model ends.", PLAYERS, verbatim=True, also=("collect", "meta")
    )
    reflector_base_url: str | None = option(
        None, "Address of the reflector's model.", PLAYERS, also=("rerun", "collect")
    )
    actor_base_url: str | None = option(
        None, "Address of the actor's model.", PLAYERS, also=("rerun", "collect", "meta")
    )
    reflector_model_options: dict[str, Any] = option(
        {}, "KEY=VALUE for the provider of the reflector, e.g. lora=PATH.", PLAYERS, also=("rerun", "collect")
    )
    actor_model_options: dict[str, Any] = option(
        {}, "KEY=VALUE for the provider of the actor, e.g. n_ctx=4096.", PLAYERS, also=("rerun", "collect", "meta")
    )
    actor_max_tokens: int | None = option(
        None,
        "Maximum tokens of one reply of the actor.",
        PLAYERS,
        default_text="the suite's",
        minimum=1,
        also=("collect", "meta"),
    )
    actor_decoding: DecodingName | None = option(
        None,
        "Free text, replies constrained to a valid action (grammar, json), or tool calls.",
        PLAYERS,
        default_text="the suite's",
        also=("collect", "meta"),
    )
    actor_history: int | None = option(
        None, "Past turns shown to the actor.", PLAYERS, default_text="all", minimum=0, also=("collect", "meta")
    )

    actor_past_actions: PastActions | None = option(
        None,
        "Available actions listed in past turns: where they differ from the current ones, or none (fewer tokens).",
        PLAYERS,
        default_text="changed",
        also=("collect", "meta"),
    )

    no_adapt: bool = option(
        False,
        "Stop if a server rejects a request as it is, instead of adapting the requests to the server.",
        PLAYERS,
        also=("collect", "meta"),
    )
