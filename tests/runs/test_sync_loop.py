from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ictbench.runs.sync_loop import run_blocking, run_on_portal, start_portal


def test_the_result_is_returned_and_the_error_raised() -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 7

    async def error() -> int:
        raise LookupError("gone")

    assert run_blocking(answer) == 7
    with pytest.raises(LookupError, match="gone"):
        run_blocking(error)


def test_it_works_inside_a_running_event_loop() -> None:
    async def inner() -> str:
        return threading.current_thread().name

    async def main() -> str:
        return run_blocking(inner)

    assert asyncio.run(main()) == "ictbench-loop"


def test_an_interrupt_cancels_and_waits_for_the_cleanup() -> None:
    cleaned = []

    async def main() -> None:
        try:
            threading.Timer(0.05, lambda: signal.pthread_kill(main_thread, signal.SIGINT)).start()
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(True)

    main_thread = threading.main_thread().ident or 0
    with pytest.raises(KeyboardInterrupt):
        run_blocking(main)
    assert cleaned == [True]


def test_a_portal_survives_an_error_an_exit_and_a_cancellation() -> None:
    async def fail(error: BaseException) -> None:
        raise error

    async def answer() -> int:
        return 7

    with start_portal() as portal:
        for error in (LookupError("gone"), SystemExit(3), asyncio.CancelledError("given up")):
            with pytest.raises(type(error)):
                run_on_portal(portal, lambda error=error: fail(error))  # type: ignore[misc]
        assert run_on_portal(portal, answer) == 7


def test_several_threads_share_a_portal_and_leaving_it_cancels_their_calls() -> None:
    before = set(threading.enumerate())
    met = threading.Barrier(3)

    async def meet() -> None:
        await asyncio.to_thread(met.wait, 5)
        await asyncio.sleep(60)

    with ThreadPoolExecutor(2) as pool:
        with start_portal() as portal:
            calls = [pool.submit(run_on_portal, portal, meet) for _ in range(2)]
            met.wait(5)
        assert all(isinstance(call.exception(), asyncio.CancelledError) for call in calls)
    assert set(threading.enumerate()) == before


def test_an_interrupt_of_one_call_leaves_the_portal_usable() -> None:
    async def sleep() -> None:
        threading.Timer(0.05, lambda: signal.pthread_kill(main_thread, signal.SIGINT)).start()
        await asyncio.sleep(60)

    async def answer() -> int:
        return 7

    main_thread = threading.main_thread().ident or 0
    with start_portal() as portal:
        with pytest.raises(KeyboardInterrupt):
            run_on_portal(portal, sleep)
        assert run_on_portal(portal, answer) == 7
