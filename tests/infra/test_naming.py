from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from infra import naming

PROJECT_IDS = st.from_regex(r"[a-z]([a-z0-9]|-(?=[a-z0-9])){4,28}[a-z0-9]", fullmatch=True).filter(
    lambda text: len(text) <= 30
)
CAMPAIGNS = st.from_regex(naming.CAMPAIGN_PATTERN, fullmatch=True).filter(
    lambda name: 3 <= len(name) <= naming.CAMPAIGN_MAX and not name.endswith("\n")
)


class TestProjectIds:
    """A campaign's name leaves room for the hyphen and the seven characters of the suffix."""

    @given(
        st.from_regex(naming.CAMPAIGN_PATTERN, fullmatch=True).filter(
            lambda name: 3 <= len(name) <= naming.CAMPAIGN_MAX
        )
    )
    def test_every_allowed_campaign_name_with_a_suffix_is_a_project_id(self, name: str) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", f"{name}-0a1b2c3")


class TestNamesMadeFromAProjectId:
    """Names that must be unique in the world are, and keep to the rules of what they name."""

    @given(PROJECT_IDS)
    def test_a_bucket_name_has_three_to_63_lower_case_characters_and_ends_on_one(self, project_id: str) -> None:
        for name in (naming.images_bucket(project_id), naming.source_bucket(project_id)):
            assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name)

    @given(PROJECT_IDS)
    def test_the_two_buckets_and_the_key_ring_are_told_apart_by_project(self, project_id: str) -> None:
        assert naming.images_bucket(project_id) != naming.source_bucket(project_id)
        assert project_id in naming.key_ring(project_id)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,63}", naming.key_ring(project_id))


class TestFixedNames:
    def test_service_account_ids_have_six_to_30_characters(self) -> None:
        for name in (naming.RUNTIME_ACCOUNT, naming.BUILD_ACCOUNT):
            assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", name)

    def test_each_domain_becomes_a_zone_name(self) -> None:
        assert naming.dns_zone("pkg.dev.") == "pkg-dev"


class TestLabels:
    """Whatever text comes in, what goes out is a label value."""

    @given(st.text(max_size=200))
    def test_any_text_becomes_a_label_value_that_is_not_empty(self, text: str) -> None:
        assert re.fullmatch(r"[a-z0-9_-]{1,63}", naming.label_value(text))

    @given(st.from_regex(naming.LABEL_VALUE_PATTERN, fullmatch=True))
    def test_a_label_value_stays_as_it_is(self, value: str) -> None:
        assert naming.label_value(value.strip()) == value.strip()


class TestPerimeterNames:
    @given(st.text(min_size=1, max_size=80))
    def test_any_title_becomes_a_name_access_context_manager_takes(self, title: str) -> None:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,49}", naming.access_context_name(title))


class TestSourceObjects:
    @given(st.binary(), st.binary(), st.text(), st.text())
    def test_digest_and_key_decide_an_archives_name(self, first: bytes, second: bytes, key: str, other: str) -> None:
        digests = first.hex().zfill(16), second.hex().zfill(16)
        names = naming.source_object(digests[0], key), naming.source_object(digests[1], other)
        assert (names[0] == names[1]) == (digests[0][:16] == digests[1][:16] and key == other)
