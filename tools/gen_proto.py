"""Compile our own .proto sources (proto/) to Python modules next to the protocol (`make proto`).

The outputs are git-ignored: they are made by the build hook at install time. The compiler is pinned low
(grpcio-tools 1.76) because newer runtimes accept older generated code, never the reverse.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "proto"
OUT = ROOT / "src" / "recado" / "protocol" / "proto"


def main() -> None:
    """Generate one module and one stub for each .proto file; raise SystemExit with protoc's own message if it fails."""
    sources = sorted(str(path.relative_to(SOURCES)) for path in SOURCES.glob("*.proto"))
    OUT.mkdir(parents=True, exist_ok=True)
    include = str(files("grpc_tools") / "_proto")
    arguments = [
        "protoc",
        f"-I{SOURCES}",
        f"-I{include}",
        f"--python_out={OUT}",
        f"--pyi_out={OUT}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc refused the sources in proto/; its message stands above")


if __name__ == "__main__":
    main()
