"""What a run has come to, in numbers and in words."""

from __future__ import annotations

from collections import Counter

from .arena import Round
from .schedule import Kind
from .witness import Book


class Figures:
    """The sum of all rounds so far."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._strikes: Counter[Kind] = Counter()
        self._answers: Counter[str] = Counter()
        self._rounds: list[Round] = []

    def add(self, done: Round) -> None:
        """One more round."""
        self._rounds.append(done)
        self._strikes += done.strikes
        self._answers += done.answers

    @property
    def kills(self) -> int:
        """How often SIGKILL was sent, to a worker or to PostgreSQL."""
        return self.struck(Kind.KILL, Kind.KILL_POSTGRES)

    def struck(self, *kinds: Kind) -> int:
        """How often any of these happened."""
        return sum(self._strikes[kind] for kind in kinds)

    def text(self) -> str:
        """For people."""
        rounds, book = self._rounds, self._book
        complaints = [each for done in rounds for each in done.complaints]
        strikes = ", ".join(f"{count} {kind}" for kind, count in self._strikes.most_common())
        lines = [
            f"{len(rounds)} rounds, {sum(each.seconds for each in rounds):.0f} s of traffic, "
            f"{rounds[-1].settling:.1f} s to settle the last; {self.kills} SIGKILLs",
            f"  strikes        {strikes}",
            f"  messages       {sum(each.came for each in rounds)} in, {sum(each.queued for each in rounds)} out",
            f"  wrong          {len(complaints)}",
            f"  API            {dict(self._answers.most_common())}",
            f"  logins         {book.logins}, of which over a socket that still stood: {dict(book.replaced)}",
            f"  now            {dict(sorted(book.owners.items(), key=repr))} accounts by worker, {book.away} on none",
        ]
        lines += [_gap(reason, gaps) for reason, gaps in sorted(book.gaps.items())]
        total = sum(sum(gaps) for gaps in book.gaps.values())
        lines.append(f"  without owner  {total:.0f} account-seconds in all")
        return "\n".join(lines)


def _gap(reason: str, gaps: list[float]) -> str:
    ordered = sorted(gaps)
    return (
        f"  back after     {reason}: {len(gaps)} times, p50 {ordered[len(gaps) // 2]:.2f} s, "
        f"p99 {ordered[int(len(gaps) * 0.99)]:.2f} s, max {ordered[-1]:.2f} s"
    )
