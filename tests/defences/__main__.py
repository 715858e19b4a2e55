"""
`python -m tests.defences`: take each defence out, one at a time, and see its test fail. Prints a table; ends with 1
when one was taken out and nothing noticed, or an entry proves nothing.

    --only NAME …    these only; the start of a name or of an area is enough
    --also-green     first run every test once with nothing taken out
    --list           what there is
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.defences.entries import Defence, read_lists
from tests.defences.run import Outcome, Verdict, green_before, take_out

import recado


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # and tidy up on the way out
    parser = argparse.ArgumentParser(prog="python -m tests.defences", description="Take out each defence once.")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these only; the start of a name or area is enough")
    parser.add_argument("--also-green", action="store_true", help="first run every test with nothing taken out")
    parser.add_argument("--list", action="store_true", help="print what there is, and run nothing")
    given = parser.parse_args(arguments)
    chosen = [each for each in read_lists() if _is_chosen(each, given.only)]
    if not chosen:
        parser.error("no entry has such a name")
    if given.list:
        _print_list(chosen)
        return 0
    print(f"{len(chosen)} defences, on copies of {recado.__file__.rpartition('/')[0]}", flush=True)
    green = not given.also_green or _print_green(chosen)
    outcomes = [_run(place, len(chosen), each) for place, each in enumerate(chosen, 1)]
    _print_summary(outcomes)
    return 0 if green and all(each.verdict is Verdict.RED for each in outcomes) else 1


def _is_chosen(defence: Defence, only: Sequence[str] | None) -> bool:
    return only is None or any(defence.name.startswith(each) or defence.area == each for each in only)


def _print_list(chosen: Sequence[Defence]) -> None:
    for defence in chosen:
        print(f"{defence.area:10} {defence.name}\n           {defence.fault}\n           {defence.test}")


def _print_green(chosen: Sequence[Defence]) -> bool:
    wrong = green_before(chosen)
    for node, words in wrong.items():
        print(f"with nothing taken out: {node}: {words}")
    tests = len({each.test for each in chosen})
    print(f"with nothing taken out: {tests - len(wrong)} of {tests} tests green\n", flush=True)
    return not wrong


def _run(place: int, count: int, defence: Defence) -> Outcome:
    outcome = take_out(defence)
    print(f"{place:3}/{count} {outcome.verdict:12} {outcome.seconds:5.1f} s  {defence.area}: {defence.name}")
    print(f"          taken out: {_how(defence)}")
    print(f"          {defence.test}\n          {outcome.words}")
    print(f"          the code that ran: {outcome.code or 'none'}", flush=True)
    return outcome


def _how(defence: Defence) -> str:
    first = defence.edits[0]
    more = f", and {len(defence.edits) - 1} more" if len(defence.edits) > 1 else ""
    return f"{first.file}: {_short(first.text)} → {_short(first.instead) or 'nothing'}{more}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "…"


def _print_summary(outcomes: Sequence[Outcome]) -> None:
    counted = Counter(outcome.verdict for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    for outcome in outcomes:
        if outcome.verdict is not Verdict.RED:
            print(f"{outcome.verdict}: {outcome.defence.name}: {outcome.words}")
    told = ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict if counted[verdict])
    print(f"\n{datetime.now(UTC):%Y-%m-%d}: {len(outcomes)} defences taken out: {told}; {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
