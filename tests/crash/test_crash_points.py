"""
A real process on a durable PostgreSQL is killed with SIGKILL at every named point, with five seeds each, and started
again on what it had committed (docs/explanation/crash-safety.md). Nothing is lost, nothing is there twice, and both
sides can still read each other.
"""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest
from tests.proof.children import PATIENCE, Child
from tests.proof.oracle import complaints

from recado.crashpoints import AppStatePoint, CrashPoint, FilePoint, GroupPoint
from recado.emulator.whatsapp.world import World
from recado.gateway.media.fetching import MediaPoint
from recado.gateway.runtime.campaigns import CampaignPoint
from recado.gateway.runtime.delivery import DeliveryPoint
from recado.gateway.runtime.moving import MovePoint
from recado.gateway.runtime.outbox import OutboxPoint

from .lane import Lane

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCES = Path(__file__).resolve().parents[2] / "src" / "recado"
SEED = os.environ.get("RECADO_CRASH_SEED", "1")
"""Another word here makes another run of the same length."""

POINTS = [*CrashPoint, *OutboxPoint]
LINKING = [point for point in POINTS if point.startswith(("pairing.", "history."))]
TRAFFIC = [point for point in POINTS if point not in LINKING]
WHILE_LINKING = [
    *((point, 1) for point in LINKING),
    (CrashPoint.INBOUND_BEFORE_COMMIT, 2),  # the second thing an unlinked client is told: that a phone scanned
    (CrashPoint.PREKEYS_BEFORE_UPLOAD, 1),
    (CrashPoint.PREKEYS_AFTER_UPLOAD, 1),
]
KILLS = 5

REACHES = {"inbound": 6, "outbound": 3, "outbox": 3, "prekeys": 2, "resend": 2, "work": 3, "app_state": 2}
"""How often a point may be passed, at most, before the process dies at it: the dice say."""


@pytest.mark.parametrize("point", TRAFFIC)
async def test_nothing_is_lost_and_nothing_doubled(point: str, lanes: list[Lane], hits: Counter[str]) -> None:
    await in_every_lane(lanes, point, hits, die_in_traffic)


@pytest.mark.parametrize(("point", "at"), WHILE_LINKING)
async def test_a_device_is_linked_or_it_is_not(point: str, at: int, lanes: list[Lane], hits: Counter[str]) -> None:
    await in_every_lane(lanes, point, hits, partial(die_while_linking, at=at))


async def die_in_traffic(lane: Lane, point: str, hits: Counter[str]) -> None:
    dice, act = lane.dice, traffic(lane, point)
    for _ in range(dice.randint(0, 5)):
        await lane.say(dice.choice([lane.friend, lane.stranger]))
    # Acknowledgements are queued where this point stands, and on the wire some turns of the loop later.
    turns = dice.randint(0, 6) if point == CrashPoint.INBOUND_AFTER_ACK else 0
    child = await lane.start(point, at=dice.randint(1, REACHES[point.partition(".")[0]]), turns=turns)
    await lane.drive_to_death(child, act)
    count(child, point, hits)
    for _ in range(dice.randint(0, 3)):
        await lane.say(dice.choice([lane.friend, lane.stranger]))
    await lane.queue(dice.choice([lane.friend, lane.stranger]))
    await all_is_well(lane)


async def die_while_linking(lane: Lane, point: str, hits: Counter[str], *, at: int) -> None:
    newcomer = lane.sibling(f"killed while linking, {lane.seed}")
    await newcomer.settle_in()
    newcomer.owner.archive.as_files = newcomer.dice.random() < 0.7  # else its history comes inline
    for _ in range(newcomer.dice.randint(1, 4)):
        await newcomer.say_long_ago()
    await lane.disconnect()
    try:
        await newcomer.connect(by_code=point == CrashPoint.PAIRING_AFTER_SECRET)
        child = await newcomer.start(point, at=at)
        async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE):
            linking = group.create_task(newcomer.link())
            await child.gone.wait()
            linking.cancel()
        count(child, point, hits)
        await all_is_well(newcomer, and_linked=True)
    finally:
        await newcomer.disconnect()
        await lane.connect()


def traffic(lane: Lane, point: str) -> Callable[[], Awaitable[None]]:
    """What is done, time after time, until the process has died at `point`."""
    dice = lane.dice

    async def receive() -> None:
        for _ in range(dice.randint(1, 5)):
            await lane.say(dice.choice([lane.friend, lane.stranger]))
        if dice.random() < 0.3:
            await lane.say_from_the_phone()
        if dice.random() < 0.3:
            await lane.say(lane.stranger, spoiled=True)

    async def send() -> None:
        for _ in range(dice.randint(1, 3)):
            await lane.queue(dice.choice([lane.friend, lane.stranger]))

    async def resend() -> None:
        await lane.queue(lane.stranger, spoiled=True)

    async def drain() -> None:
        lane.drain()
        await lane.say(lane.stranger)

    async def share() -> None:
        lane.share()

    acts = {
        "app_state": [share, share, receive],
        "inbound": [receive, receive, receive, send],
        "outbound": [send, send, send, receive],
        "outbox": [send, send, send, receive],
        "prekeys": [drain, drain, receive],
        "resend": [resend, resend, send],
        "work": [drain, resend],
    }[point.partition(".")[0]]
    return lambda: dice.choice(acts)()


async def all_is_well(lane: Lane, *, and_linked: bool = False) -> None:
    """Once more, in a process that nobody kills: what is left is done, both sides read each other, and all is right."""
    child = await lane.start()
    if and_linked:
        await lane.link()
        assert len(lane.owner.account.companions) == 1
    await lane.quiet()
    for other in (lane.friend, lane.stranger):
        await lane.say(other)
        await lane.queue(other)
    lane.share()
    await lane.quiet()
    assert (found := "\n".join(await complaints(lane))) == "", found
    await child.stop()


def count(child: Child, point: str, hits: Counter[str]) -> None:
    """It died, by its own hand, where it was meant to."""
    assert (child.status, child.died_at) == (-signal.SIGKILL, point), child.last_words()
    hits[point] += 1


async def in_every_lane(
    lanes: list[Lane], point: str, hits: Counter[str], run: Callable[[Lane, str, Counter[str]], Awaitable[None]]
) -> None:
    """The same in five lanes at once, with a seed each; what failed, with its seed."""

    async def one(lane: Lane) -> str | None:
        seed = f"{point}, seed {SEED}.{lane.number}"
        lane.begin(seed)
        try:
            await run(lane, point, hits)
        except Exception as error:  # noqa: BLE001 - reported with the seed, below
            return f"{seed}: {''.join(traceback.format_exception(error))}"
        finally:
            lane.kill_all()
        return None

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(lane)) for lane in lanes]
    failures = [failure for task in tasks if (failure := task.result()) is not None]
    if failures:
        pytest.fail("\n".join(failures), pytrace=False)


async def test_the_database_writes_through(durable_postgres: str) -> None:
    with psycopg.connect(durable_postgres) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            row = connection.execute(f"SHOW {setting}").fetchone()
            assert row == ("on",)


async def test_every_point_stands_in_the_code_and_is_in_the_list() -> None:
    reached = {
        ast.unparse(node.args[0])
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "crashpoints.reach"
    }
    # Those of groups are hit in test_groups.py, those of changes of the shared state in test_app_state_killed.py, and
    # those of files on their way in test_files_killed.py.
    # Those of deliveries are hit in test_webhooks.py, those of campaigns in tests/gateway/campaigns/test_job.py, those
    # of moves in tests/gateway/moving/test_moving.py, and those of files in tests/gateway/media/test_fetching.py.
    every = [*POINTS, *GroupPoint, *AppStatePoint, *FilePoint, *DeliveryPoint, *CampaignPoint, *MovePoint, *MediaPoint]
    assert reached == {f"{type(point).__name__}.{point.name}" for point in every}


async def test_every_point_was_hit_at_least_five_times(hits: Counter[str], world: World) -> None:
    assert {point: hits[point] for point in POINTS if hits[point] < KILLS} == {}
    # Some died between the wire and the server's word: phones saw those messages twice, and showed them once.
    assert any(phone.repeats for phone in world.phones.values())
