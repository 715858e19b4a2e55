"""The library on its own: the examples and the README's lines, run as they are written there."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from recado.emulator.whatsapp.inbox import Shown
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PATIENCE = 30.0

# Runs a program unchanged, but with the emulated world for WhatsApp; says at its end what it loaded.
RUNNER = dedent("""
    import atexit, runpy, signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background inherits none
    from recado import Client, Server
    path, url, root = sys.argv[1:]
    Client.__init__.__kwdefaults__["server"] = Server(url, bytes.fromhex(root))
    foreign = {"fastapi", "starlette", "uvicorn", "psycopg", "alembic", "jinja2", "pydantic", "typer"}
    atexit.register(lambda: print("LOADED", sorted(foreign & set(sys.modules)), flush=True))
    runpy.run_path(path, run_name="__main__")
""")


class Program:
    """A running program, and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def until(self, pattern: str) -> str:
        """The first thing printed that fits."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while not (found := re.search(pattern, self.said)):
                line = await self._process.stdout.readline()
                assert line, "it ended:\n" + self.said
                self.said += line.decode()
        return found[1]

    async def end(self, *, interrupt: bool = True) -> str:
        """Ctrl-C unless it ends by itself; the rest of what it prints."""
        if interrupt and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
        rest, _ = await asyncio.wait_for(self._process.communicate(), PATIENCE)
        self.said += rest.decode()
        return self.said


@asynccontextmanager
async def run(path: Path, world: World, folder: Path) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-c", RUNNER, str(path), world.server.url, world.server.root.hex()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    program = Program(process)
    try:
        yield program
    finally:
        await program.end()


def lines_of_the_readme(folder: Path) -> Path:
    """The README's program, as a file."""
    found = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    path = folder / "readme.py"
    path.write_text(found[1])
    return path


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start(seed=9) as world:
        yield world


async def heard(bia: Phone, ana: Phone) -> tuple[Shown, Shown]:
    """What Bia said and its echo: she says something new until the bot, which listens from its start on, hears her."""
    for _ in range(60):
        said = await bia.say(ana, f"is anybody there? {len(bia.messages)}")
        try:
            return said, await bia.expect(said.text, from_me=False, patience=0.5)
        except AssertionError:
            continue
    raise AssertionError("no echo ever came")


@pytest.mark.parametrize("which", ["the example", "the README"])
async def test_the_echo_bot_answers_and_needs_no_code_when_it_is_started_again(
    which: str, world: World, tmp_path: Path
) -> None:
    path = EXAMPLES / "echo_bot.py" if which == "the example" else lines_of_the_readme(tmp_path)
    ana, bia = world.phone("Ana"), world.phone("Bia")
    async with run(path, world, tmp_path) as bot:
        await ana.scan(await bot.until(r"Scan this.*?: (\S+)"))
        said, echo = await heard(bia, ana)
        assert echo.quoted == said.id
        assert "LOADED []" in await bot.end()
    async with run(path, world, tmp_path) as bot:
        await heard(bia, ana)
        assert "Scan this" not in await bot.end()
    assert (tmp_path / "echo.db").exists()
    assert bia.repeats == {}


async def test_the_pairing_driver_prints_each_step_and_ends(world: World, tmp_path: Path) -> None:
    ana = world.phone("Ana")
    async with run(EXAMPLES / "pairing_driver.py", world, tmp_path) as driver:
        step = json.loads(await driver.until(r"(\{.*\})"))
        assert step["step"] == "qr"
        await ana.scan(step["text"])
        said = (await driver.end(interrupt=False)).splitlines()
    assert json.loads(said[-2]) == {"step": "paired", "account": str(ana.jid)}
    assert said[-1] == "LOADED []"


async def test_a_slip_in_a_program_is_a_type_error(tmp_path: Path) -> None:
    """What the examples show type-checks strictly; a misspelt name and a forgotten step do not."""
    bot = (EXAMPLES / "echo_bot.py").read_text()
    driver = (EXAMPLES / "pairing_driver.py").read_text()
    slips = {
        "misspelt": bot.replace("message.from_me", "message.fromMe"),
        "forgotten": driver.replace("        case NeedsPasskey(url=url):\n", "        case str() as url:\n"),
    }
    assert slips["misspelt"] != bot and slips["forgotten"] != driver
    paths = [lines_of_the_readme(tmp_path)]
    for name, text in slips.items():
        paths.append(tmp_path / f"{name}.py")
        paths[-1].write_text(text)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *map(str, paths)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    told, _ = await process.communicate()
    errors = [line for line in told.decode().splitlines() if "error:" in line]
    assert {Path(line.split(":")[0]).name for line in errors} == {"misspelt.py", "forgotten.py"}
    assert any("fromMe" in line for line in errors)
    assert any("assert_never" in line for line in errors)
