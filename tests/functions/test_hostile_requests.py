"""Requests that mean harm: each is refused in a moment, in the envelope, and costs no call."""

import contextlib
import json
import struct
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.errors import MOST_SAID, InvalidRequest
from generation.picture import MOST_PARTS, read_picture
from generation.request import LONGEST_NAME, MOST_REFERENCES
from generation.settings import read
from generation.template import render
from generation.validation import DEEPEST, MOST_MARKS, MOST_VALUES, parse
from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import FakeGoogle
from tests.functions.pictures import png

PNG = b64encode(png()).decode()
PNG_HEAD = png(4, 4)[:33]
NOT_EVEN_LOOKED_AT = 2_000_000


def keys(count: int, more: str = "") -> bytes:
    members = ",".join(f'"k{number}":1' for number in range(count))
    return f'{{"prompt":"x",{members}{more}}}'.encode()


def listed(field: str, item: str, count: int) -> bytes:
    return f'{{"prompt":"x","{field}":[{",".join([item] * count)}]}}'.encode()


class TestBombsOfJson:
    """A body of a few megabytes does not become gigabytes, nor hours."""

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            pytest.param(keys(50_000, ',"k49999":2'), "the key 'k49999' appears twice", id="a key twice, at the end"),
            pytest.param(keys(50_000), f"values, more than {MOST_VALUES:,}", id="many unknown fields"),
            pytest.param(listed("references", "{}", 100_000), f"more than {MOST_VALUES:,}", id="many references"),
            pytest.param(listed("x", "[]", MOST_MARKS), f"more than {MOST_MARKS:,}", id="a million lists"),
            pytest.param(
                b'{"prompt":"x","template":{"text":"x","data":{"a":' + b"[" * 300 + b"]" * 300 + b"}}}",
                f"within each other more than {DEEPEST} times",
                id="lists in lists",
            ),
            pytest.param(b'{"prompt":"x","seed":' + b"9" * 5000 + b"}", "not JSON", id="a number of 5,000 digits"),
            pytest.param(
                b'{"' + b"k" * NOT_EVEN_LOOKED_AT + b'":1,"' + b"k" * NOT_EVEN_LOOKED_AT + b'":1}',
                "appears twice",
                id="a key of 2 MB",
            ),
        ],
    )
    async def test_what_is_too_much_is_no_json(
        self, function: Function, google: FakeGoogle, body: bytes, says: str
    ) -> None:
        response = await function.http.post("/images", content=body)

        error = response.json()["error"]
        assert (response.status_code, error["details"][0]["reason"]) == (400, "INVALID_JSON")
        assert says in error["message"]
        assert len(response.content) < 10_000
        assert not google.seen

    async def test_a_prompt_of_nothing_but_commas_is_a_prompt(self, function: Function) -> None:
        commas = "," * 262_144
        await function.made(prompt=commas, systemInstruction=commas, negativePrompt=commas)

    async def test_of_many_problems_the_first_are_told(self, function: Function) -> None:
        error = await function.refused(prompt="x", **{f"unknown{number}": 1 for number in range(MOST_VALUES - 1)})

        assert len(error["details"]) == MOST_SAID
        assert error["message"].startswith(f"{MOST_VALUES - 1} fields are wrong. ")
        assert error["message"].endswith(f"; and {MOST_VALUES - 1 - MOST_SAID} more")

    async def test_what_the_caller_sent_is_repeated_only_so_far(self, function: Function) -> None:
        error = await function.refused(prompt="x", model="m" * 100_000, labels={"K" * 100_000: "v"})

        assert len(json.dumps(error)) < 10_000
        assert {detail["reason"] for detail in error["details"]} == {"INVALID_FIELD", "INVALID_LABEL"}

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"references": [{"uri": "gs://brand-assets/a.png"}] * (MOST_REFERENCES + 1)}, "references"),
            ({"references": [{"uri": "gs://brand-assets/a.png"}] * 15}, "references"),
            ({"fallback": ["gemini-3.1-flash-image"] * 4}, "fallback"),
            ({"count": 5}, "count"),
            ({"count": 10**30}, "count"),
            ({"timeoutSeconds": 0.001}, "timeoutSeconds"),
            ({"timeoutSeconds": 10**12}, "timeoutSeconds"),
            ({"prompt": "a" * 262_145}, "prompt"),
            ({"labels": {f"k{number}": "v" for number in range(63)}}, "labels"),
            ({"labels": {"k": "é"}}, "labels.k"),
            ({"labels": {"k": "v" * 64}}, "labels.k"),
            ({"labels": {"k" * 64: "v"}}, "labels." + "k" * 64),
            ({"labels": {"k\n": "v"}}, "labels.k\n"),
            ({"labels": {"k": "v\n"}}, "labels.k"),
            ({"labels": {"\u0661": "v"}}, "labels.\u0661"),
            ({"requestId": "../x"}, "requestId"),
            ({"requestId": "x\n"}, "requestId"),
            ({"requestId": "x" * 129}, "requestId"),
            ({"previous": "a" * 63}, "previous"),
            ({"previous": "../" + "a" * 61}, "previous"),
            ({"referenceSet": "../images"}, "referenceSet"),
            ({"template": {"name": "../x"}}, "template.name"),
        ],
    )
    async def test_a_number_or_a_name_out_of_range(
        self, function: Function, google: FakeGoogle, fields: dict[str, Any], field: str
    ) -> None:
        error = await function.refused(**{"prompt": "x", **fields})

        assert [detail["field"] for detail in error["details"]] == [field]
        assert {detail["class"] for detail in error["details"]} == {"invalid"}
        assert not google.seen

    async def test_labels_of_63_characters_go_along(self, function: Function, google: FakeGoogle) -> None:
        await function.made(prompt="x", labels={"k" * 63: "v" * 63, "empty": ""})

        assert google.model_calls[0].json["labels"]["k" * 63] == "v" * 63


class TestNamesOfObjects:
    """A gs:// address leads to an object of an allowed bucket, or nowhere."""

    @pytest.mark.parametrize(
        "uri",
        [
            "gs://somebody-elses/a.png",
            "gs://spring-images.evil/a.png",
            "gs://spring-images-2/a.png",
            "gs://brand-assets@evil/a.png",
            "gs://evil/../spring-images/a.png",
            "gs://SPRING-IMAGES/a.png",
            "gs://spring-images%2f..%2fevil/a.png",
            "gs://spring-images",
            "gs://spring-images/",
            "gs:///a.png",
            "GS://spring-images/a.png",
            "https://storage.googleapis.com/spring-images/a.png",
            "file:///etc/passwd",
            "gs://spring-images/a\r\nHost: evil",
            "gs://spring-images/.",
            "gs://spring-images/..",
            f"gs://spring-images/{'é' * (LONGEST_NAME // 2 + 1)}",
        ],
    )
    async def test_another_place_is_refused_without_a_call(
        self, function: Function, google: FakeGoogle, uri: str
    ) -> None:
        error = await function.refused(prompt="x", references=[{"uri": uri}])

        assert {detail["reason"] for detail in error["details"]} <= {"INVALID_FIELD", "REFERENCE_NOT_ALLOWED"}
        assert not google.seen

    @pytest.mark.parametrize(
        "name", ["../evil/a.png", "a/../../b/evil/o/a.png", "a.png?alt=media", "a.png#7", "a b", "é/ü.png"]
    )
    async def test_a_name_is_a_name_whatever_it_looks_like(
        self, function: Function, google: FakeGoogle, name: str
    ) -> None:
        google.put("brand-assets", name, png())
        google.put("evil", "a.png", png())

        await function.made(prompt="x", references=[{"uri": f"gs://brand-assets/{name}"}])

        looked = google.calls("storage.googleapis.com", "/b/brand-assets/o/")[0]
        assert looked.path == f"/storage/v1/b/brand-assets/o/{name}"
        part = google.model_calls[0].json["contents"][0]["parts"][0]
        assert part["fileData"]["fileUri"] == f"gs://brand-assets/{name}"


class TestLabelsOfReferences:
    """An image is what it is and not what the caller says."""

    @pytest.mark.parametrize("stored", ["image/jpeg", "text/html", "application/pdf"])
    async def test_a_stored_object_that_says_it_is_something_else(
        self, function: Function, google: FakeGoogle, stored: str
    ) -> None:
        google.put("brand-assets", "a", png(), stored)

        error = await function.refused(
            prompt="x", references=[{"uri": "gs://brand-assets/a", "mimeType": "image/png"}], mask={"data": PNG}
        )

        assert [detail["field"] for detail in error["details"]] == ["references[0].mimeType"]
        assert error["details"][0]["reason"] == "INVALID_FIELD"
        assert f"the object is {stored}, not image/png" in error["message"]
        assert error["details"][0]["hint"] == "leave out mimeType: it is taken from the object"
        assert not google.model_calls

    @pytest.mark.parametrize("stored", ["", "application/octet-stream", "image/png"])
    async def test_an_object_without_a_type_is_what_the_caller_says(
        self, function: Function, google: FakeGoogle, stored: str
    ) -> None:
        google.put("brand-assets", "a", png(), stored)

        await function.made(prompt="x", references=[{"uri": "gs://brand-assets/a", "mimeType": "image/png"}])

        part = google.model_calls[0].json["contents"][0]["parts"][0]
        assert part["fileData"]["mimeType"] == "image/png"

    @pytest.mark.parametrize(
        ("data", "mime_type", "reason"),
        [
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "INVALID_FIELD"),
            (b"%PDF-1.7", None, "INVALID_FIELD"),
            (b"GIF89a" + b"\0" * 20, "image/gif", "UNSUPPORTED_BY_MODEL"),
            (b"\xff\xd8\xff\xe0\x00\x04ab" * 3, "image/png", "INVALID_FIELD"),
        ],
    )
    async def test_inline_bytes_are_what_their_first_ones_say(
        self, function: Function, google: FakeGoogle, data: bytes, mime_type: str | None, reason: str
    ) -> None:
        reference = {"data": b64encode(data).decode()} | ({"mimeType": mime_type} if mime_type else {})
        error = await function.refused(prompt="x", references=[reference])

        assert error["details"][0]["reason"] == reason
        assert not google.seen


class TestBombsOfPictures:
    """Headers are read, pixels never; a file of millions of headers is not read to its end."""

    def test_a_png_of_empty_chunks(self) -> None:
        picture = read_picture(PNG_HEAD + b"\0\0\0\0tEXt\0\0\0\0" * 500_000)

        assert picture is not None
        assert (picture.width, picture.content_credentials) == (4, False)

    @pytest.mark.parametrize("filler", [b"\xff\xe0\x00\x02", b"\xff", b"\xff\xd0"])
    def test_a_jpeg_of_empty_segments_is_none(self, filler: bytes) -> None:
        assert read_picture(b"\xff\xd8\xff" + filler * 1_000_000) is None

    def test_a_webp_of_empty_chunks(self) -> None:
        picture = read_picture(b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 14 + b"\0" * 8 * 500_000)

        assert picture is not None
        assert not picture.content_credentials

    def test_content_credentials_behind_many_chunks_are_found(self) -> None:
        chunks = b"\0\0\0\0tEXt\0\0\0\0" * (MOST_PARTS - 2)
        picture = read_picture(PNG_HEAD + chunks + b"\0\0\0\0caBX\0\0\0\0")

        assert picture is not None
        assert picture.content_credentials

    @pytest.mark.parametrize(
        "head",
        [
            b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 0, 9),
            b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 9, 0),
            b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IDAT", 9, 9),
        ],
    )
    def test_a_png_without_a_size_is_none(self, head: bytes) -> None:
        assert read_picture(head + b"\0" * 50) is None

    async def test_a_picture_of_four_billion_by_four_billion_is_passed_on_and_never_decoded(
        self, function: Function, google: FakeGoogle
    ) -> None:

        bomb = (
            b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 2**32 - 1, 2**32 - 1) + b"\x08\x06\0\0\0\0\0\0\0"
        )
        await function.made(prompt="x", references=[{"data": b64encode(bomb).decode()}])

        assert len(google.model_calls) == 1


ROWS = [{"n": number} for number in range(600)]
HARMFUL = [
    ("{{ 1.5|round(200000000, 'ceil') }}", {}),
    ("{{ 1|round(-2000000000) }}", {}),
    ("{{ rows|join(t) }}", {"rows": [1] * 900, "t": "x" * 60_000}),
    ("{{ rows|join(rows|join(t)) }}", {"rows": [1] * 900, "t": "x" * 200}),
    ("{% for r in rows %}{{ t }}{% endfor %}", {"rows": [1] * 900, "t": "x" * 60_000}),
    ("{{ t" + "|upper|lower" * 100 + " }}", {"t": "x"}),
    ("{{ t|upper }}" * 400, {"t": "ŉ" * 100_000}),
    ("{{ a }}" * 2000, {"a": 1}),
    ("{{ (" + "a," * 1600 + ") }}", {"a": 1}),
    ("{{ " + "(" * 900 + "1" + ")" * 900 + " }}", {}),
    ("{{ 1" + " or 1" * 900 + " }}", {}),
    ("{{ 1" + " if 1 else 1" * 400 + " }}", {}),
    ("{{ rows|sort(attribute='n')|length }}" * 350, {"rows": ROWS}),
    ("{{ t|truncate(1) }}", {"t": "a text that is longer"}),
    ("{{ t|int(base=32) }}", {"t": "v" * 90_000}),
    ("{{ t|round(1, 'factorial') }}", {"t": 9}),
    ("{{ 5 is divisibleby(0) }}", {}),
]
ESCAPES = [
    "{{ t.__class__ }}",
    "{{ t['__class__'] }}",
    "{{ t.format }}",
    "{{ rows.append }}",
    "{{ rows|sort(attribute='__class__') }}",
    "{{ rows|sum(attribute='__init__.__globals__') }}",
    "{{ rows|join(',', '__class__') }}",
    "{{ rows|max(attribute='__class__') }}",
    "{% for r in rows %}{{ loop.__class__ }}{% endfor %}",
    "{% for r in rows %}{{ loop._iterator }}{% endfor %}",
    "{% for r in rows %}{{ loop('x') }}{% endfor %}",
    "{{ self }}",
    "{{ self.__init__ }}",
    "{{ cycler }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace }}",
    "{{ lipsum.__globals__ }}",
    "{{ config }}",
    "{{ t|attr('__class__') }}",
    "{{ t|xmlattr }}",
    "{{ t|pprint }}",
    "{{ t|string }}",
    "{{ t ~ t }}",
    "{{ [t] }}",
    "{{ {'a': t} }}",
    "{{ t[0:1] }}",
    "{{ t is callable }}",
    "{% raw %}{{ t }}{% endraw %}{% autoescape true %}{% endautoescape %}",
    "{% do rows.append(1) %}",
    "{% with x = 1 %}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% from 'x' import y %}",
    "{% call x() %}{% endcall %}",
]


PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "for",
    "in",
    "if",
    "elif",
    "else",
    "endif",
    "endfor",
    "is",
    "not",
    "and",
    "(",
    ")",
    "[",
    "]",
    ".",
    ",",
    "|",
    "r",
    "r.n",
    "t",
    "n",
    "rows",
    "loop.index",
    "loop",
    "self",
    "'a'",
    "1",
    "-1",
    "1e9",
    "|round",
    "|round(2)",
    "|join(',')",
    "|sum(attribute='n')",
    "|sort",
    "|int",
    "|float",
    "|upper",
    "|truncate(3)",
    "|default(1)",
    "|first",
    "|unique",
    "defined",
    "divisibleby(0)",
    "==",
    "<",
    "~",
    "*",
]
LINES = ["{% for r in rows %}", "{% endfor %}", "{{ n }}", "{{ t|title }}", "{% if n %}", "{% endif %}"]


class TestTemplates:
    """A template reaches its data and nothing else, and ends soon."""

    @pytest.mark.parametrize(("text", "data"), HARMFUL, ids=range(len(HARMFUL)))
    def test_endless_work_is_refused(self, text: str, data: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequest) as refused:
            render(text, data)
        assert refused.value.violations[0].reason == "TEMPLATE_FAILED"
        assert refused.value.violations[0].hint

    @pytest.mark.parametrize("text", ESCAPES)
    def test_there_is_no_way_out(self, text: str) -> None:
        with pytest.raises(InvalidRequest) as refused:
            render(text, {"t": "text", "rows": [{"n": 1}, {"n": 2}]})
        assert refused.value.violations[0].reason == "TEMPLATE_FAILED"

    @settings(max_examples=150, database=None, deadline=None)
    @given(
        st.lists(st.sampled_from(PIECES + LINES) | st.text(max_size=3), max_size=14).map(" ".join),
        st.fixed_dictionaries({"t": st.text(max_size=9), "n": st.floats() | st.integers(), "rows": st.just(ROWS[:3])}),
    )
    def test_a_template_writes_or_is_refused(self, text: str, data: dict[str, Any]) -> None:
        with contextlib.suppress(InvalidRequest):  # any other exception fails
            assert isinstance(render(text, data), str)

    def test_data_comes_before_pythons_own_names(self) -> None:
        data = {"report": {"values": [3, 4], "items": "all", "count": 2, "title": "Sales"}}
        text = "{{ report.title }}, {{ report.items }} {{ report.count }}: "
        loop = "{% for v in report.values %}{{ loop.index }}. {{ v }}{% if not loop.last %}; {% endif %}{% endfor %}"

        assert render(text + loop, data) == "Sales, all 2: 1. 3; 2. 4"

    def test_joins_and_rounding_work_as_ever(self) -> None:
        text = (
            "{{ rows|join(', ', attribute='n') }} {{ t|join('-') }} {{ 2.345|round(1) }} {{ 2.1|round(0, 'ceil')|int }}"
        )

        assert render(text, {"rows": ROWS[:3], "t": "ab"}) == "0, 1, 2 a-b 2.3 3"


def test_the_longest_request_that_is_taken_is_read(google: FakeGoogle) -> None:  # noqa: ARG001 -- no call is made
    data = {"rows": [{"n": "x" * 60} for _ in range(900)]}
    body = {"prompt": "x" * 262_144, "template": {"text": "{{ rows|length }}" + " " * 19_000, "data": data}}

    request, _ = parse(json.dumps(body).encode(), read(ENVIRONMENT))

    assert len(request.prompt) == 262_144
