"""What OpenRosa clients are answered: XML documents, and the headers by which they know the protocol."""

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.responses import Response

from ingest_api.openrosa.xforms import BlankForm
from ingest_api.records import REPLACEMENT

XML_TYPE = "text/xml"
ACCEPTED_BYTES = 10_000_000  # of one request: a phone splits what is more, and sends one such part again when it fails
HEADERS = {"X-OpenRosa-Version": "1.0", "Content-Language": "en"}
SUBMISSION_HEADERS = {"X-OpenRosa-Accept-Content-Length": str(ACCEPTED_BYTES)}
LIST_NAMESPACE = "http://openrosa.org/xforms/xformsList"
MANIFEST_NAMESPACE = "http://openrosa.org/xforms/xformsManifest"
RESPONSE_NAMESPACE = "http://openrosa.org/http/response"


class XmlResponse(Response):
    """XML with the headers without which a phone says that this is no OpenRosa server."""

    media_type = XML_TYPE

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set the headers, the protocol's among them."""
        super().init_headers({**HEADERS, **(headers or {})})


def document(root: Element) -> XmlResponse:
    """A document for a phone."""
    return XmlResponse(_serialise(root))


def form_list(forms: Iterable[BlankForm], base: str) -> Element:
    """The forms that can be downloaded.

    Args:
        forms: the forms.
        base: the absolute address under which the phone reaches this server.
    """
    root = Element("xforms", xmlns=LIST_NAMESPACE)
    for form in forms:
        entry = SubElement(root, "xform")
        facts = {
            "formID": form.form,
            "name": form.title,
            "version": form.version,
            "hash": f"md5:{form.checksum}",
            "downloadUrl": f"{base}/forms/{form.form}.xml",
        }
        for name, value in facts.items():
            SubElement(entry, name).text = value
    return root


def manifest() -> Element:
    """The media of a form; those of a contract have none."""
    return Element("manifest", xmlns=MANIFEST_NAMESPACE)


def message(text: str, nature: str, status: int, headers: Mapping[str, str] | None = None) -> XmlResponse:
    """The answer to a submission, whose text the phone shows."""
    root = Element("OpenRosaResponse", xmlns=RESPONSE_NAMESPACE)
    shown = "".join(character if character.isprintable() else REPLACEMENT for character in text)
    SubElement(root, "message", nature=nature).text = shown
    return XmlResponse(_serialise(root), status, {**SUBMISSION_HEADERS, **(headers or {})})


def _serialise(root: Element) -> bytes:
    content: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return content
