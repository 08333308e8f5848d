"""What the pages need of style and script, from this machine alone, under addresses that change with the contents."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

from warehouse.errors import NotFoundError

FOLDER = Path(__file__).parent / "static"
PLOTLY = "plotly.js"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOR_A_YEAR = "public, max-age=31536000, immutable"
router = APIRouter()


@dataclass(frozen=True)
class Asset:
    """A file for browsers.

    Attributes:
        mark: a hash of its contents, which stands in its address.
    """

    content: bytes
    packed: bytes
    kind: str
    mark: str


@cache
def load_asset(name: str) -> Asset:
    """The asset of that name.

    Raises:
        NotFoundError: there is none.
    """
    path = FOLDER / name
    if name != PLOTLY and not (path.parent == FOLDER and path.is_file()):
        raise NotFoundError("The dashboard has no such page.", code="dashboard.no_such_page")
    content = get_plotlyjs().encode() if name == PLOTLY else path.read_bytes()
    mark = hashlib.sha256(content).hexdigest()[:16]
    return Asset(content, gzip.compress(content, mtime=0), KINDS[path.suffix], mark)


def asset_address(name: str) -> str:
    """The address of an asset."""
    return f"/dashboard/static/{load_asset(name).mark}/{name}"


@router.get("/dashboard/static/{_mark}/{name}")
def get_asset(_mark: str, name: str, request: Request) -> Response:
    """An asset, packed where the browser can unpack it."""
    asset = load_asset(name)
    headers = {"Cache-Control": FOR_A_YEAR, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.kind, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.content, media_type=asset.kind, headers=headers)
