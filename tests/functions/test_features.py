"""Reference sets, templates, residency, labels, request ids, marks of generated images."""

import json
from typing import Any

import pytest

from generation.errors import InvalidRequest
from generation.label_values import LabelValues
from generation.settings import is_within, read
from generation.template import MOST_WORK, render
from generation.validation import parse
from tests.functions.conftest import ENVIRONMENT, Function, token_of
from tests.functions.fake_google import EU, FakeGoogle
from tests.functions.pictures import png

PROMPT = "a lighthouse at dusk"
ROWS = [{"city": "Accra", "sold": 1204}, {"city": "Lagos", "sold": 3310}]


class TestReferenceSets:
    """A character stays the same by the name of its images."""

    async def test_the_images_of_a_set_go_first_with_words(self, function: Function, google: FakeGoogle) -> None:
        for name in ("2.png", "1.png"):
            google.put("spring-images", f"reference-sets/mascot/{name}", png())
        google.put("spring-images", "reference-sets/mascot/", b"", "text/plain")
        google.put("spring-images", "reference-sets/mascot-two/1.png", png())

        made = await function.made(
            prompt=PROMPT, referenceSet="mascot", references=[{"uri": "gs://spring-images/reference-sets/mascot/1.png"}]
        )

        parts = google.model_calls[0].json["contents"][0]["parts"]
        assert "mascot" in parts[0]["text"]
        assert [part["fileData"]["fileUri"].rpartition("/")[2] for part in parts[1:4]] == ["1.png", "2.png", "1.png"]
        assert parts[4] == {"text": PROMPT}
        record = json.loads(google.objects["spring-images"][f"images/{made['id']}/record.json"].data)
        assert record["disclosure"]["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")

    async def test_new_contents_of_a_set_make_another_image(self, function: Function, google: FakeGoogle) -> None:
        google.put("spring-images", "reference-sets/mascot/1.png", png())
        first = await function.made(prompt=PROMPT, referenceSet="mascot")
        google.put("spring-images", "reference-sets/mascot/1.png", png(5, 5))

        assert (await function.made(prompt=PROMPT, referenceSet="mascot"))["id"] != first["id"]

    @pytest.mark.parametrize(
        ("count", "kind", "reason"),
        [
            (0, "image/png", "REFERENCE_NOT_FOUND"),
            (15, "image/png", "UNSUPPORTED_BY_MODEL"),
            (1, "text/plain", "UNSUPPORTED_BY_MODEL"),
        ],
    )
    async def test_a_set_must_fit_the_model(
        self, function: Function, google: FakeGoogle, count: int, kind: str, reason: str
    ) -> None:
        for number in range(count):
            google.put("spring-images", f"reference-sets/mascot/{number:02}.png", png(), kind)

        error = await function.refused(prompt=PROMPT, referenceSet="mascot")

        assert error["details"][0]["reason"] == reason
        assert not google.model_calls

    async def test_references_lie_in_the_campaigns_buckets(self, function: Function, google: FakeGoogle) -> None:
        error = await function.refused(prompt=PROMPT, references=[{"uri": "gs://somebody-elses/a.png"}])

        assert error["details"][0]["reason"] == "REFERENCE_NOT_ALLOWED"
        assert error["details"][0]["field"] == "references[0].uri"
        assert "gs://spring-images, gs://brand-assets" in error["details"][0]["hint"]
        assert not google.seen


class TestTemplates:
    """Rows of figures become a prompt."""

    async def test_a_template_writes_the_prompt(self, function: Function, google: FakeGoogle) -> None:
        text = "{% for row in rows %}{{ row.city|upper }}: {{ row.sold }} bags\n{% endfor %}"
        made = await function.made(prompt="An infographic:", template={"text": text, "data": {"rows": ROWS}})
        again = await function.made(prompt="An infographic:\n\nACCRA: 1204 bags\nLAGOS: 3310 bags")

        parts = google.model_calls[0].json["contents"][0]["parts"]
        assert parts == [{"text": "An infographic:\n\nACCRA: 1204 bags\nLAGOS: 3310 bags"}]
        assert again["id"] == made["id"], "it is the words that count"

    async def test_a_template_may_be_kept_in_the_bucket(self, function: Function, google: FakeGoogle) -> None:
        google.put("spring-images", "templates/sales.j2", b"Bars of {{ rows|length }} cities", "text/plain")

        await function.made(template={"name": "sales", "data": {"rows": ROWS}})

        assert google.model_calls[0].json["contents"][0]["parts"] == [{"text": "Bars of 2 cities"}]

    async def test_a_template_that_is_not_there(self, function: Function) -> None:
        error = await function.refused(template={"name": "sales"})

        assert error["details"][0]["reason"] == "TEMPLATE_FAILED"
        assert error["details"][0]["hint"] == "gcloud storage cp FILE gs://spring-images/templates/sales.j2"

    @pytest.mark.parametrize(
        "text",
        [
            "{{ missing }}",
            "{{ rows.__class__ }}",
            "{{ ''.__class__.__mro__ }}",
            "{{ range(10) }}",
            "{{ rows|map('upper') }}",
            "{{ 'a' * 1000000000 }}",
            "{{ 2 ** 100000 }}",
            "{% set x = 1 %}",
            "{% macro x() %}{% endmacro %}",
            "{% include 'x' %}",
            "{% import 'x' as y %}",
            "{{ lipsum() }}",
            "{{ self.x() }}",
            "{% for a in rows recursive %}{% endfor %}",
            "{% for a in rows %}{% for b in rows %}{% for c in rows %}{% endfor %}{% endfor %}{% endfor %}",
            "{{ rows|sum }}",
            "{{ unclosed ",
            "{% nonsense %}",
            "   ",
            "{{ rows[0].city|round }}",
            "{{ '%s'|format(rows) }}",
        ],
    )
    async def test_what_a_template_may_not_do(self, function: Function, google: FakeGoogle, text: str) -> None:
        error = await function.refused(template={"text": text, "data": {"rows": ROWS}})

        assert error["details"][0]["reason"] == "TEMPLATE_FAILED"
        assert not google.model_calls

    def test_endless_work_is_refused_before_it_begins(self) -> None:
        rows = [{"n": number} for number in range(900)]
        nested = "{% for a in rows %}{% for b in rows %}{{ a.n }}{% endfor %}{% endfor %}"
        sorting = "{% for a in rows %}{{ rows|sort(attribute='n')|length }}{% endfor %}"
        for text in (nested, sorting):
            with pytest.raises(InvalidRequest, match="take too long"):
                render(text, {"rows": rows})
        with pytest.raises(InvalidRequest, match="values; 2,000 are taken"):
            render("x", {"rows": list(range(MOST_WORK // 100))})
        with pytest.raises(InvalidRequest, match="values; 2,000 are taken"):
            render("x", {"text": "x" * 200_000})

    async def test_a_prompt_or_a_template_is_needed(self, function: Function) -> None:
        error = await function.refused(seed=1)

        assert [detail["field"] for detail in error["details"]] == ["prompt"]

    async def test_a_template_is_text_or_a_name(self, function: Function) -> None:
        for template in ({}, {"text": "a", "name": "b"}):
            error = await function.refused(template=template)
            assert error["details"][0]["field"] == "template"


class TestResidency:
    """Where data must stay, only models that are served there are asked."""

    async def test_a_model_elsewhere_is_refused_and_one_here_is_named(self, google: FakeGoogle) -> None:
        function = Function(ENVIRONMENT | {"PLANTAIN_RESIDENCY": "eu", "PLANTAIN_MODEL": "gemini-3.1-flash-image"})
        try:
            error = await function.refused(prompt=PROMPT, model="gemini-3-pro-image")
            made = await function.made(prompt=PROMPT)
        finally:
            await function.close()

        assert error["details"][0]["reason"] == "RESIDENCY"
        assert error["details"][0]["field"] == "model"
        assert error["details"][0]["hint"] == "use one of gemini-3.1-flash-image, gemini-2.5-flash-image"
        call = google.calls(EU)[0]
        assert "/locations/eu/" in call.path
        record = json.loads(google.objects["spring-images"][f"images/{made['id']}/record.json"].data)
        assert record["location"] == "eu"

    def test_a_campaigns_own_model_must_be_served_there(self) -> None:
        with pytest.raises(Exception, match=r"PLANTAIN_RESIDENCY: .*gemini-3-pro-image is not served in us"):
            read(ENVIRONMENT | {"PLANTAIN_RESIDENCY": "us"})

    @pytest.mark.parametrize(
        ("location", "residency", "within"),
        [
            ("eu", "eu", True),
            ("europe-west4", "eu", True),
            ("europe-west2", "eu", False),
            ("europe-west6", "eu", False),
            ("us-east4", "us", True),
            ("us", "us", True),
            ("global", "us", False),
            ("us", "us-east4", False),
            ("us-east4", "us-east4", True),
        ],
    )
    def test_what_lies_within_a_jurisdiction(self, location: str, residency: str, within: bool) -> None:
        assert is_within(location, residency) is within


class TestLabels:
    """A key has no more than 1,000 values."""

    async def test_values_are_counted_across_instances(self, function: Function, google: FakeGoogle) -> None:
        for number in range(999):
            google.put("spring-images", f"labels/team/v{number:03}", b"", "text/plain")
        await function.made(prompt=PROMPT, labels={"team": "last"})
        known = await function.made(prompt=PROMPT, seed=1, labels={"team": "v007"})
        error = await function.refused(prompt=PROMPT, seed=2, labels={"team": "one-more"})

        assert known["cached"] is False
        assert error["details"][0]["reason"] == "LABEL_VALUES_EXHAUSTED"
        assert error["details"][0]["field"] == "labels.team"
        assert len(google.model_calls) == 2

    async def test_a_known_value_costs_no_call(self, function: Function, google: FakeGoogle) -> None:
        await function.made(prompt=PROMPT, labels={"team": "x", "empty": ""})
        before = len([seen for seen in google.seen if "labels" in seen.path])
        await function.made(prompt=PROMPT, seed=1, labels={"team": "x", "empty": ""})

        assert len([seen for seen in google.seen if "labels" in seen.path]) == before

    async def test_what_is_remembered_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Nothing:
            async def list(self, *_: Any, **__: Any) -> list[Any]:
                return []

            async def create(self, *_: Any) -> bool:
                return True

        monkeypatch.setattr("generation.label_values.REMEMBERED", 3)
        values = LabelValues(Nothing())  # type: ignore[arg-type] # as much of a store as it needs
        for number in range(9):
            await values.admit({"k": str(number)})
        assert len(values._known) == 3


class TestRequestIds:
    """A requestId stands for one request."""

    async def test_the_same_request_again_is_the_same_image(self, function: Function, google: FakeGoogle) -> None:
        first = await function.made(prompt=PROMPT, requestId="deck-7")
        second = await function.made(prompt=PROMPT, requestId="deck-7")

        assert first["id"] == second["id"]
        assert len(google.model_calls) == 1

    async def test_another_request_is_refused(self, function: Function, google: FakeGoogle) -> None:
        await function.made(prompt=PROMPT, requestId="deck-7")
        error = await function.refused(prompt="another", requestId="deck-7")

        assert (error["code"], error["status"]) == (409, "ALREADY_EXISTS")
        assert error["details"][0]["reason"] == "REQUEST_ID_REUSED"
        assert len(google.model_calls) == 1

    async def test_callers_do_not_share_ids(self, function: Function) -> None:
        for seed, email in enumerate(("a@x.y", "b@x.y")):
            headers = {"authorization": f"Bearer {token_of(email)}"}
            body = {"prompt": PROMPT, "seed": seed, "requestId": "deck-7"}
            assert (await function.http.post("/images", json=body, headers=headers)).status_code == 200


class TestMarks:
    """A generated image says that it is one."""

    async def test_it_is_said_in_the_answer_the_record_and_the_object(
        self, function: Function, google: FakeGoogle
    ) -> None:
        answer = await function.made(prompt=PROMPT)

        disclosure = {
            "aiGenerated": True,
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            "statement": "This image was generated by artificial intelligence.",
            "generator": "gemini-3-pro-image",
            "provider": "Google LLC",
            "marks": ["C2PA"],
        }
        assert answer["disclosure"] == disclosure
        objects = google.objects["spring-images"]
        assert json.loads(objects[f"images/{answer['id']}/record.json"].data)["disclosure"] == disclosure
        metadata = objects[f"images/{answer['id']}/0.png"].metadata
        assert metadata["ai-generated"] == "true"
        assert metadata["generator"] == "gemini-3-pro-image"

    async def test_a_record_of_an_earlier_version_is_still_answered(
        self, function: Function, google: FakeGoogle
    ) -> None:
        made = await function.made(prompt=PROMPT)
        stored = google.objects["spring-images"][f"images/{made['id']}/record.json"]
        record = json.loads(stored.data)
        del record["disclosure"]
        stored.data = json.dumps(record).encode()

        assert (await function.made(prompt=PROMPT))["disclosure"] is None

    def test_a_quality_is_a_jpegs(self) -> None:
        with pytest.raises(InvalidRequest, match="only a JPEG has a quality"):
            parse(b'{"prompt": "x", "outputQuality": 80}', read(ENVIRONMENT))

    @pytest.mark.parametrize("level", ["LOW", "MEDIUM"])
    async def test_a_level_of_thinking_is_the_models(self, function: Function, level: str) -> None:
        error = await function.refused(prompt=PROMPT, thinkingLevel=level)

        assert error["details"][0]["hint"] == "use one of HIGH"
