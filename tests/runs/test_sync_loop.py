from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ictbench.runs.sync_loop import BackgroundLoop, run_blocking


def test_the_answer_and_the_error_come_back() -> None:
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


def test_an_interrupt_cancels_and_waits_for_the_cleaning_up() -> None:
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


def test_a_loop_goes_on_after_an_error_and_an_interrupt_inside() -> None:
    async def fail(error: BaseException) -> None:
        raise error

    async def answer() -> int:
        return 7

    loop = BackgroundLoop()
    for error in (LookupError("gone"), SystemExit(3), asyncio.CancelledError("given up")):
        with pytest.raises(type(error)):
            loop.run(lambda error=error: fail(error))  # type: ignore[misc]
    assert loop.run(answer) == 7
    loop.close()


def test_several_threads_run_side_by_side_and_closing_ends_them() -> None:
    before = set(threading.enumerate())
    loop = BackgroundLoop(daemon=True)
    met = threading.Barrier(3)

    async def meet() -> None:
        await asyncio.to_thread(met.wait, 5)
        await asyncio.sleep(60)

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(loop.run, meet) for _ in range(2)]
        met.wait(5)
        loop.close()
        loop.close()
        assert all(isinstance(one.exception(), asyncio.CancelledError) for one in waiting)
    assert set(threading.enumerate()) == before
