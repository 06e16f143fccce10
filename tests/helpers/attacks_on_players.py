"""Attacks on who played: controls under other names, names that may run something, failures of programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attacks import attack
from forgery import claim_model

from ictbench.records import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forgery import Forgery, Json

INNER: Json = {"label": "rules", "name": "rules", "options": {}}


def rename_reflector(f: Forgery, label: str, name: str, **options: object) -> None:
    """Put another reflector's name and options on the run."""
    f.result["reflector"].update(label=label, name=name, options=options)
    f.metadata["reflector"]["label"] = label


def name_model(f: Forgery, provider: str, model: str) -> None:
    """Name another model as the actor's."""
    claim_model(f)
    spec = ModelSpec.model_validate({**f.result["actor"]["model"], "provider": provider, "model": model})
    f.result["actor"].update(label=spec.name, model=spec.model_dump(mode="json"))
    f.metadata["actor"]["label"] = spec.name


@attack("a control under the path of its class", "validate", "is a class of ictbench under another name")
def control_by_path(f: Forgery) -> None:
    rename_reflector(f, "rules", "ictbench.reflectors.controls.blind:BlindReflector", reflector=INNER)


@attack("a control that is not stated", "validate", "its control is '', not 'it is shown no trajectory'")
def unstated_control(f: Forgery) -> None:
    rename_reflector(f, "blind:rules", "blind", reflector=INNER)


@attack("a hand-written prompt, not stated as a control", "validate", "not 'its prompt was written by a person'")
def unstated_hand_written(f: Forgery) -> None:
    rename_reflector(f, "file:p.txt", "file", text="Go.")


@attack("raw trajectories under their own name, not stated as a control", "validate", "not 'its prompts may hold")
def unstated_icl(f: Forgery) -> None:
    rename_reflector(f, "icl", "icl")


@attack("prompts that change under the name of no reflector", "validate", "but reflector 'none' keeps it")
def changing_prompts_of_none(f: Forgery) -> None:
    rename_reflector(f, "none", "none")
    f.recompute()


@attack(
    "a control around another one, of which one is stated", "validate", "its control is 'it is shown no trajectory'"
)
def half_stated_control(f: Forgery) -> None:
    inside = {"label": "file:p.txt", "name": "file", "options": {"text": "Go."}}
    rename_reflector(f, "blind:file:p.txt", "blind", reflector=inside)
    f.result.update(control="it is shown no trajectory", ranked=False)


@attack("other experience than the reflector has", "validate", "its experience is retried, that of 'rules' fresh")
def other_experience(f: Forgery) -> None:
    f.result.update(experience="retried", control="it tries again", ranked=False)


@attack("a reflector of an unknown bare name", "validate", "its reflector 'unheard-of' is not a built-in one")
def unknown_name(f: Forgery) -> None:
    rename_reflector(f, "unheard-of", "unheard-of")


@attack("a built-in name in other letters", "validate", "is not a built-in one")
def look_alike_name(f: Forgery) -> None:
    rename_reflector(f, "rules", "rul\N{CYRILLIC SMALL LETTER IE}s")


@attack("a module that imports something", "validate", "its reflector 'antigravity:a.b' is not a built-in one")
def importing_name(f: Forgery) -> None:
    rename_reflector(f, "antigravity:a.b", "antigravity:a.b")


@attack("a class named like a provider's model", "validate", "looks like 'openai', which it is not")
def class_like_model(f: Forgery) -> None:
    rename_reflector(f, "openai.gpt9:official", "openai.gpt9:official")


@attack("a class named like a control around a reflector", "validate", "looks like 'blind', which it is not")
def class_like_control(f: Forgery) -> None:
    rename_reflector(f, "blind:rules", "blind:rules")


@attack("a provider named like another one", "validate", "its provider 'OpenAI' is not a built-in one")
def provider_like_other(f: Forgery) -> None:
    name_model(f, "OpenAI", "gpt-9")


@attack(
    "the bare name of a model on a class of one's own", "validate", "is labelled 'openai/gpt-9', but it is 'mine:Mine:"
)
def class_labelled_as_model(f: Forgery) -> None:
    claim_model(f)
    rename_reflector(f, "openai/gpt-9", "mine:Mine")
    f.result["reflector"]["model"] = f.result["actor"]["model"]


@attack("an option that a built-in reflector does not have", "validate", "has no option 'plugin'")
def own_option(f: Forgery) -> None:
    rename_reflector(f, "rules", "rules", plugin="evil.py")


@attack("the solver's name on the actor", "validate", "deviation: actor solver is told the solutions")
def solver_as_actor(f: Forgery) -> None:
    f.result["actor"].update(label="solver", name="solver")
    f.metadata["actor"]["label"] = "solver"


@attack("a program with a model", "validate", "its actor 'rules' has no model")
def program_with_model(f: Forgery) -> None:
    claim_model(f)
    f.result["actor"].update(name="rules", options={})


@attack("a language model without a model", "validate", "its actor 'react' needs a model")
def model_without_model(f: Forgery) -> None:
    f.result["actor"].update(label="openai/gpt-9", name="react")
    f.metadata["actor"]["label"] = "openai/gpt-9"


@attack("a command-line option as the name of a model", "validate", "is not the name of a model")
def option_as_model(f: Forgery) -> None:
    name_model(f, "vllm", "--tool-parser-plugin=evil.py")


@attack("an address in the name of a model", "validate", "is not the name of a model")
def address_as_model(f: Forgery) -> None:
    name_model(f, "litellm", "oobabooga/http://127.0.0.1:8000/v1")


@attack("a key in the address of a model", "validate", "has the address 'https://me:key@a.example/v1', which a result")
def address_with_key(f: Forgery) -> None:
    claim_model(f)
    f.result["actor"]["model"]["base_url"] = "https://me:key@a.example/v1"


@attack("replies of a trillion tokens", "validate", "its max_tokens is 1000000000000")
def endless_replies(f: Forgery) -> None:
    claim_model(f)
    f.result["actor"]["model"]["max_tokens"] = 10**12


@attack(
    "a control as a class of one's own",
    "nothing",
    "of a class that is not part of ictbench, a board knows its name only",
)
def own_class(f: Forgery) -> None:
    rename_reflector(f, "mine:Mine", "mine:Mine")


def cut_wins(f: Forgery) -> None:
    """Record every win under `prompt[0]` as a failure of the model at its first decision."""
    shown = {episode["key"] for episode in f.trajectories}
    first = {loop["prompts"][0]["digest"] for loop in f.loops()}
    for record in f.episodes:
        if record["prompt"] in first and record["key"] not in shown and record["trajectory"]["end"] == "solved":
            digest = record["trajectory"]["steps"][0]["digest"]
            record["trajectory"] |= {"steps": [], "last_digest": digest, "end": "failed", "failure": "refused"}
    f.recompute()


@attack("wins of a program under `prompt[0]`, recorded as refusals", "validate", "but actor 'rules' is a program")
def failed_program(f: Forgery) -> None:
    cut_wins(f)


@attack(
    "the same under the name of a model",
    "nothing",
    "a model may fail; failures stand beside the gain, which is shown with and without them",
)
def failed_model(f: Forgery) -> None:
    cut_wins(f)
    claim_model(f)


def pad_wins(f: Forgery) -> None:
    """Record every win under `prompt[0]` as lost: invalid decisions up to the limit in place of the winning one."""
    shown = {episode["key"] for episode in f.trajectories}
    first = {loop["prompts"][0]["digest"] for loop in f.loops()}
    for record in f.episodes:
        trajectory = record["trajectory"]
        if record["prompt"] in first and record["key"] not in shown and trajectory["end"] == "solved":
            digest = trajectory["steps"].pop()["digest"]
            invalid = {"digest": digest, "proposed": "win", "executed": None}
            missing = f.result["max_steps"] - len(trajectory["steps"])
            trajectory["steps"] += [dict(invalid) for _ in range(missing)]
            trajectory |= {"last_digest": digest, "end": "step_limit"}
    f.recompute()


@attack("the same as losses by invalid actions", "validate", "but actor 'rules' chooses available actions only")
def padded_program(f: Forgery) -> None:
    pad_wins(f)


@attack("losses by invalid actions under the name of a model", "nothing", "a model may choose invalid actions")
def padded_model(f: Forgery) -> None:
    pad_wins(f)
    claim_model(f)


def usages(f: Forgery) -> Iterator[Json]:
    """Yield the usage of every record after a claim that a model played."""
    claim_model(f)
    yield from (record["usage"] for record in (*f.episodes, *f.trajectories))


@attack("a program that made calls", "validate", "but actor 'rules' is a program")
def program_with_calls(f: Forgery) -> None:
    for record in (*f.episodes, *f.trajectories):
        record["usage"] = {"calls": 1, "input_tokens": 9, "output_tokens": 9}
    f.recompute()


@attack("a program whose reflections cost something", "validate", "but reflector 'rules' is a program")
def program_with_reflection_cost(f: Forgery) -> None:
    f.result["cost"]["reflector"] = {**f.result["cost"]["reflector"], "calls": 9}


@attack("a language model that made no calls", "validate", "its usage has 0 calls and 0 cached replies for ")
def model_without_calls(f: Forgery) -> None:
    for usage in usages(f):
        usage.update(calls=0, input_tokens=0, output_tokens=0)
    f.recompute()


@attack("fewer calls than decisions", "validate", "cached replies for ")
def fewer_calls(f: Forgery) -> None:
    for usage in usages(f):
        usage.update(calls=1, input_tokens=900, output_tokens=90)
    f.recompute()


@attack("calls without tokens", "validate", "input tokens in ")
def calls_without_tokens(f: Forgery) -> None:
    for usage in usages(f):
        usage.update(input_tokens=0, output_tokens=0)
    f.recompute()


@attack("more cached tokens than were sent", "validate", "its usage has more cached than input tokens")
def cached_beyond_input(f: Forgery) -> None:
    for usage in usages(f):
        usage.update(cached_tokens=10**9)
    f.recompute()


@attack("more unreported requests than calls", "validate", "unreported requests of ")
def unreported_beyond_calls(f: Forgery) -> None:
    for usage in usages(f):
        usage.update(unreported=10**9)
    f.recompute()


@attack("reflections by a language model without calls", "validate", "reflector has 0 calls and 0 cached replies for ")
def reflections_without_calls(f: Forgery) -> None:
    claim_model(f)
    rename_reflector(f, "rewrite:openai/gpt-9", "rewrite")
    f.result["reflector"]["model"] = f.result["actor"]["model"]
    f.metadata["reflector"] = {**f.metadata["actor"], "label": "rewrite:openai/gpt-9"}


@attack("a cost above its own upper bound", "validate", "with the bounds 5 and 1.0")
def cost_beyond_bound(f: Forgery) -> None:
    for usage in usages(f):
        usage.update(cost=None, cost_at_least=5.0, cost_at_most=1.0)
    f.recompute()


@attack("money spent by a run of programs", "validate", "but actor and reflector are programs")
def money_of_programs(f: Forgery) -> None:
    f.result["host"]["spent"] = {"calls": 5000, "cost": 9.0}


@attack("an instruction for a program", "validate", "but rules is a program, which has none")
def instruction_of_program(f: Forgery) -> None:
    f.metadata["instruction"] = "Verified by the board."


@attack("markup as the reason why a class of one's own is a control", "validate", "control: it holds markup")
def markup_as_control(f: Forgery) -> None:
    rename_reflector(f, "mine:Mine", "mine:Mine")
    f.result.update(control="<b>official</b>", ranked=False)


@attack("fewer tokens than the model was sent", "nothing", "a replay cannot tell how many tokens a text has")
def fewer_tokens(f: Forgery) -> None:
    for usage in usages(f):
        usage.update(input_tokens=usage["calls"], output_tokens=usage["calls"])
    f.recompute()
