"""Which storages the settings ask for: a folder always, and a bucket for new files when one is named."""

from __future__ import annotations

from recado.errors import UsageError
from recado.gateway.media.folder import Folder
from recado.gateway.media.storage import Storage, Storages
from recado.gateway.settings import Settings

FOLDER = "folder"
S3 = "s3"


def open_storages(settings: Settings) -> Storages:
    """The storages, nothing asked of them yet. Raises UsageError."""
    known: dict[str, Storage] = {FOLDER: Folder(settings.files_dir.absolute())}
    if settings.media_s3_bucket is None:
        return Storages(FOLDER, known)
    try:
        from recado.gateway.media.s3 import Bucket
    except ImportError:
        raise UsageError("files go to S3 by the settings, and that part is not installed: recado[s3]") from None
    access, secret = settings.media_s3_access_key, settings.media_s3_secret_key
    known[S3] = Bucket(
        settings.media_s3_bucket,
        endpoint=settings.media_s3_endpoint,
        region=settings.media_s3_region,
        access_key=access.get_secret_value() if access is not None else None,
        secret_key=secret.get_secret_value() if secret is not None else None,
    )
    return Storages(S3, known)
