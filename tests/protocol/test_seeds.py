from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ictbench.protocol import loop_seed, reflection_seed, sampling_seed

DIGEST = "a" * 64
WORDS = st.text(max_size=8)


def test_the_sampling_seed_is_fixed() -> None:
    # Published results depend on it: the first 31 bits of SHA-256 over ["aaa…","read-20000",0] as JSON.
    import hashlib

    expected = int(hashlib.sha256(f'["{DIGEST}","read-20000",0]'.encode()).hexdigest()[:8], 16) // 2
    assert sampling_seed(DIGEST, "read-20000") == sampling_seed(DIGEST, "read-20000", 0) == expected


@given(WORDS, WORDS, st.integers(0, 9))
def test_sampling_seeds_have_31_bits(digest: str, task: str, replicate: int) -> None:
    assert 0 <= sampling_seed(digest, task, replicate) < 2**31
    assert sampling_seed(digest, task, replicate) == sampling_seed(digest, task, replicate)


def test_the_sampling_seed_depends_on_suite_task_and_replicate() -> None:
    seeds = {sampling_seed(d, t, r) for d in ("one", "two") for t in ("read-1", "read-11", "eat-1") for r in (0, 1, 2)}
    assert len(seeds) == 18


def test_every_reflection_has_its_own_seed() -> None:
    seeds = {
        reflection_seed(digest, family, loop, turn)
        for digest in ("one", "two")
        for family in ("eat", "read")
        for loop in range(3)
        for turn in range(1, 4)
    }
    assert len(seeds) == 36
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_seed_of_a_loop_is_that_of_no_turn() -> None:
    seeds = [loop_seed("one", "eat", 0), *(reflection_seed("one", "eat", 0, turn) for turn in range(1, 11))]
    assert len(set(seeds)) == 11
    assert len({loop_seed(digest, family, loop) for digest in "ab" for family in "xy" for loop in range(3)}) == 12
