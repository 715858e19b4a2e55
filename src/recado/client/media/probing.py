"""
What a file says of itself, for those who see it before they have it: its measures, how long it is, a small picture, the
shape of a voice. Pillow reads pictures, PyAV (FFmpeg) films and sounds; both come with `recado[media]`. A file that
nobody can read, or without the libraries, goes all the same, only barer.
"""

from __future__ import annotations

import io
import logging
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import IO, Any

from recado.content import MediaKind
from recado.errors import where

logger = logging.getLogger("recado.client")

THUMBNAIL = 100
"""The longer side of a small picture, in dots."""
LINK_PICTURE = 800
"""The longer side of the picture of a link, in dots."""
WAVEFORM = 64
_MOST_DOTS = 64_000_000
_MOST_SOUND = 15 * 60
"""Seconds of a voice that are looked at for its shape."""
_RATE = 8000


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found; None and b"" where nothing was."""

    mime_type: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: int | None = None
    thumbnail: bytes | None = field(default=None, repr=False)
    waveform: bytes | None = field(default=None, repr=False)
    is_animated: bool = False


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A picture twice, as JPEG: as large as it is shown at most, with those measures, and very small."""

    large: bytes = field(repr=False)
    small: bytes = field(repr=False)
    width: int
    height: int


def probe(kind: MediaKind, file: IO[bytes], *, is_voice: bool) -> Probed:
    """Look into a file; never raises over what is in it."""
    try:
        match kind:
            case MediaKind.IMAGE | MediaKind.STICKER:
                return _picture(file, is_sticker=kind is MediaKind.STICKER)
            case MediaKind.VIDEO:
                return _film(file)
            case MediaKind.AUDIO:
                return _sound(file, is_voice=is_voice)
            case MediaKind.DOCUMENT:
                return Probed()
    except ImportError:
        logger.info("files go without a thumbnail or a duration: recado[media] is not installed")
    except Exception as error:  # noqa: BLE001 - two decoders over a stranger's bytes: whatever they stumble over
        logger.info("a file could not be looked into (%s at %s)", type(error).__name__, where(error))
    return Probed()


def shrunk(picture: bytes) -> Shrunk | None:
    """A picture as a link's preview shows it; None for what is none. Never raises over what is in it."""
    try:
        return _shrunk(io.BytesIO(picture))
    except ImportError:
        logger.info("previews go without a picture: recado[media] is not installed")
    except Exception as error:  # noqa: BLE001 - a decoder over a stranger's bytes: whatever it stumbles over
        logger.info("a page's picture could not be looked into (%s at %s)", type(error).__name__, where(error))
    return None


def _shrunk(file: IO[bytes]) -> Shrunk | None:
    from PIL import Image, ImageOps

    with Image.open(file, formats=("JPEG", "PNG", "WEBP", "GIF")) as picture:
        if picture.width * picture.height > _MOST_DOTS:
            return None
        picture.draft("RGB", (LINK_PICTURE, LINK_PICTURE))
        shown = ImageOps.exif_transpose(picture).convert("RGB")
    shown.thumbnail((LINK_PICTURE, LINK_PICTURE))
    out = io.BytesIO()
    shown.save(out, "JPEG", quality=80)
    return Shrunk(out.getvalue(), _small(shown.copy()), shown.width, shown.height)


def _picture(file: IO[bytes], *, is_sticker: bool) -> Probed:
    from PIL import Image

    with Image.open(file) as picture:
        found = Probed(
            mime_type=Image.MIME.get(picture.format or ""),
            width=picture.width,
            height=picture.height,
            is_animated=bool(getattr(picture, "is_animated", False)),
        )
        if picture.width * picture.height > _MOST_DOTS:
            return found
        if is_sticker:
            return found
        picture.draft("RGB", (THUMBNAIL * 2, THUMBNAIL * 2))
        return replace(found, **_turned(picture, found))


def _turned(picture: Any, found: Probed) -> dict[str, Any]:
    """The small picture, and the measures as a person sees them: cameras note which side is up."""
    from PIL import ExifTags, ImageOps

    lies = picture.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
    small = ImageOps.exif_transpose(picture)
    width, height = (found.height, found.width) if lies else (found.width, found.height)
    return {"width": width, "height": height, "thumbnail": _small(small)}


def _small(picture: Any) -> bytes:
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=50)
    return out.getvalue()


def _film(file: IO[bytes]) -> Probed:
    import av

    with av.open(file, "r") as film:
        seconds = _seconds(film)
        if not film.streams.video:
            return Probed(seconds=seconds)
        stream = film.streams.video[0]
        found = Probed(width=stream.width or None, height=stream.height or None, seconds=seconds)
        if stream.width * stream.height > _MOST_DOTS:
            return found
        first: Any = next(film.decode(stream), None)
        return found if first is None else replace(found, thumbnail=_small(first.to_image()))


def _sound(file: IO[bytes], *, is_voice: bool) -> Probed:
    import av

    with av.open(file, "r") as sound:
        seconds = _seconds(sound)
        if not is_voice or not sound.streams.audio:
            return Probed(seconds=seconds)
        loudness, count = _loudness(sound)
        return Probed(seconds=seconds or max(1, round(count / _RATE)), waveform=_waveform(loudness))


def _seconds(container: Any) -> int | None:
    return max(1, round(container.duration / 1_000_000)) if container.duration else None


def _loudness(sound: Any) -> tuple[list[float], int]:
    """The mean loudness of each tenth of a second, and how many values of sound there were."""
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
    tenth, found, waiting, count = _RATE // 10, list[float](), array("h"), 0
    for frame in _frames(sound, resampler):
        values = array("h", bytes(frame.planes[0])[: frame.samples * 2])
        waiting.extend(values)
        count += len(values)
        while len(waiting) >= tenth:
            found.append(sum(map(abs, waiting[:tenth])) / tenth)
            waiting = waiting[tenth:]
        if count > _MOST_SOUND * _RATE:
            break
    if waiting:
        found.append(sum(map(abs, waiting)) / len(waiting))
    return found, count


def _frames(sound: Any, resampler: Any) -> Iterator[Any]:
    for frame in sound.decode(audio=0):
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _waveform(loudness: list[float]) -> bytes | None:
    """64 values of 0–100, the loudest of them 100."""
    if not loudness or not max(loudness):
        return bytes(WAVEFORM) if loudness else None
    parts = []
    for place in range(WAVEFORM):
        start = place * len(loudness) // WAVEFORM
        end = max(start + 1, (place + 1) * len(loudness) // WAVEFORM)
        parts.append(sum(loudness[start:end]) / (end - start))
    most = max(parts)
    return bytes(int(100 * part / most) for part in parts)
