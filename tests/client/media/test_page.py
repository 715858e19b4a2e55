"""What is read of a page, whoever wrote it."""

from __future__ import annotations

import time

import pytest

from recado.client.media.page import LONGEST_TITLE, LONGEST_WORDS, PageShown, read_page
from recado.content.links import first_link

HTML = "text/html; charset=utf-8"
URL = "https://example.invalid/dir/page"


def read(page: str, content_type: str = HTML) -> PageShown:
    return read_page(URL, content_type, page.encode())


def test_a_page_is_shown_as_it_says() -> None:
    page = """<!doctype html><html><head>
      <title>Another title</title>
      <meta property="og:title" content="A &quot;page&quot; &amp; more">
      <meta content='What it says' name="description">
      <META PROPERTY=og:image CONTENT=/pictures/one.jpg>
      </head><body><meta property="og:description" content="not here"></body>"""
    assert read(page) == PageShown('A "page" & more', "What it says", "https://example.invalid/pictures/one.jpg")


def test_a_page_without_open_graph_has_its_title() -> None:
    assert read("<head><title>\n Plain &eacute;\n words </title>") == PageShown("Plain é words")
    assert read("<title>First</title><title>Second</title>").title == "First"
    assert read('<meta property="og:title" content=" "><title>Kept</title>').title == "Kept"


@pytest.mark.parametrize("content_type", ["image/png", "application/pdf", "text/plain", ""])
def test_what_is_no_page_says_nothing(content_type: str) -> None:
    assert read("<title>hello</title>", content_type) == PageShown()


@pytest.mark.parametrize(
    "picture", ["javascript:alert(1)", "file:///etc/passwd", "data:image/png;base64,AAAA", "http://[", "x" * 3000, " "]
)
def test_a_picture_is_at_a_web_address_or_none(picture: str) -> None:
    assert read(f'<title>t</title><meta property="og:image" content="{picture}">').picture is None


def test_words_are_one_line_and_not_for_ever() -> None:
    words = "b c\x00\u202e\n" * 500
    shown = read(f'<title>{"a" * 3000}</title><meta name="description" content="{words}">')
    assert len(shown.title) == LONGEST_TITLE and shown.title.endswith("…")
    assert len(shown.description) <= LONGEST_WORDS and shown.description.isprintable()


def test_the_letters_are_the_page_s_own() -> None:
    page = '<meta charset="iso-8859-1"><title>ação</title>'
    assert read_page(URL, "text/html", page.encode("latin-1")).title == "ação"
    assert read_page(URL, "text/html; charset=ISO-8859-1", "<title>ação</title>".encode("latin-1")).title == "ação"
    assert read_page(URL, "text/html; charset=no-such", b"<title>plain \xff</title>").title == "plain \ufffd"
    assert read_page(URL, "text/html; charset=rot13", b"<title>plain</title>").title == "plain"
    assert read_page(URL, "text/html; charset=idna", b"<title>plain</title>").title == "plain"


@pytest.mark.parametrize(
    "piece", ["<meta ", "<meta content='", "<title", "<title>", "<!", "<![CDATA[", "&", '<meta a="', "<meta/", "<"]
)
def test_a_page_made_to_be_slow_is_read_as_fast_as_others(piece: str) -> None:
    page = (piece * (512 * 1024 // len(piece))).encode()
    start = time.perf_counter()
    read_page(URL, HTML, page)
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see https://example.invalid/a.", "https://example.invalid/a"),
        ("(https://example.invalid/a_(b))", "https://example.invalid/a_(b)"),
        ("HTTPS://EXAMPLE.invalid and http://second.invalid", "HTTPS://EXAMPLE.invalid"),
        ("*https://example.invalid/?q=1&r=2*", "https://example.invalid/?q=1&r=2"),
        ("nothing here, example.invalid neither", None),
        ("https:// and http://!!!", None),
        ("ftp://example.invalid", None),
    ],
)
def test_the_first_link_of_a_text(text: str, link: str | None) -> None:
    assert first_link(text) == link
