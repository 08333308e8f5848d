"""What OpenRosa clients are answered: XML documents, and the headers by which they know the protocol."""

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.responses import Response

from ingest_api.openrosa.xforms import BlankForm
from ingest_api.records import REPLACEMENT

XML_TYPE = "text/xml; charset=utf-8"
ACCEPTED_BYTES = 10_000_000  # of one request: a phone splits what is more, and sends one such part again when it fails
HEADERS = {"X-OpenRosa-Version": "1.0", "Content-Language": "en"}
SUBMISSION_HEADERS = {"X-OpenRosa-Accept-Content-Length": str(ACCEPTED_BYTES)}
LIST_NAMESPACE = "http://openrosa.org/xforms/xformsList"
MANIFEST_NAMESPACE = "http://openrosa.org/xforms/xformsManifest"
RESPONSE_NAMESPACE = "http://openrosa.org/http/response"


def document(root: Element) -> Response:
    """A document for a phone."""
    return xml_response(tostring(root, encoding="UTF-8", xml_declaration=True))


def xml_response(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """XML with the headers without which a phone says that this is no OpenRosa server."""
    return Response(content, status, {**HEADERS, **(headers or {})}, media_type=XML_TYPE)


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


def message(text: str, nature: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a submission, whose text the phone shows."""
    root = Element("OpenRosaResponse", xmlns=RESPONSE_NAMESPACE)
    shown = "".join(character if character.isprintable() else REPLACEMENT for character in text)
    SubElement(root, "message", nature=nature).text = shown
    content = tostring(root, encoding="UTF-8", xml_declaration=True)
    return xml_response(content, status, {**SUBMISSION_HEADERS, **(headers or {})})
