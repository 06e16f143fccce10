from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from ictbench.runner.background import run_blocking


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
