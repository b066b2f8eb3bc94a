"""Rows of the checklist about what went wrong for others, and what keeps it from going wrong here."""

from __future__ import annotations

from tests.infra.checklist_row import Row, Shown

PART = "known trap"


def _trap(asks: str, *tests: str, shown: tuple[Shown, ...] = (), instead: str = "") -> Row:
    return Row(PART, asks, shown, tests, instead)


ROWS: tuple[Row, ...] = (
    _trap("the build identity lacks a role", "test_it_comes_after_the_roles_of_both_its_identities"),
    _trap("the perimeter blocks the build", "test_builds_run_on_a_private_pool_without_a_way_to_the_internet"),
    _trap("a build needs the internet", "test_by_default_a_build_takes_them_from_there"),
    _trap(
        "preview, refresh, destroy are refused from outside the perimeter",
        shown=(
            Shown(
                "accesscontextmanager/servicePerimeter:ServicePerimeter", "status.ingressPolicies.title", "deployers"
            ),
        ),
    ),
    _trap(
        "a service agent does not exist yet",
        "test_each_agent_that_works_for_the_campaign_gets_its_own_role_and_no_other",
        "test_the_two_agents_that_cannot_be_made_are_asked_for",
    ),
    _trap("something is not ready although the call succeeded", "test_it_is_ready_when_three_answers_in_a_row_agree"),
    _trap("disabling an API breaks others", "test_no_api_is_disabled_when_its_resource_goes"),
    _trap("two write the perimeter at once", "test_a_conflict_is_tried_again"),
    _trap("rules come back in another order", "test_an_ingress_rule_is_what_the_settings_say"),
    _trap(
        "titles must be unique while something is replaced",
        "test_a_stack_that_joins_narrows_its_rules_to_its_own_campaign",
    ),
    _trap("an update drops members", "test_a_delegated_owner_leaves_members_it_finds_whatever_it_changes"),
    _trap("a perimeter wants numbers", "test_members_are_numbers"),
    _trap("a rule names a project that is no member yet", "test_a_joining_campaign_is_a_member_before_its_resources"),
    _trap("a deleted project blocks its id", "test_its_id_is_left_to_the_provider"),
    _trap("a lien blocks destroy", "test_a_guard_is_deleted_before_anything_it_guards"),
    _trap("a key ring lasts for ever", "test_the_ring_is_named_after_the_project_because_rings_last_for_ever"),
    _trap("a destroyed key loses data", "test_a_destroyed_version_can_be_restored_for_30_days"),
    _trap(
        "the function's key is not accepted",
        "test_the_functions_key_is_granted_to_every_agent_that_handles_the_function",
    ),
    _trap("a log bucket takes a key only when it is made", "test_a_consumer_comes_after_all_grants_of_its_key"),
    _trap("the function is deployed always, or never", "test_another_content_gives_another_digest"),
    _trap(
        "callers are lost when the function is replaced",
        instead="no setting replaces it: [settings.md](settings.md)",
    ),
    _trap("Cloud Run holds addresses of the subnet", "test_only_what_cloud_run_may_still_hold_ends_with_the_project"),
    _trap("budgets filter by number", "test_it_is_of_the_project_by_number"),
    _trap("a contact outside the allowed domains", shown=(Shown("essentialcontacts/contact:Contact"),)),
    _trap("a tag cannot have two values", "test_a_campaigns_project_has_the_tag_of_its_label"),
    _trap(
        "the model is not where it is asked for",
        "test_a_multi_region_location_is_refused_because_the_perimeter_cannot_reach_it",
    ),
    _trap(
        "images pile up in the repository", shown=(Shown("artifactregistry/repository:Repository", "cleanupPolicies"),)
    ),
    _trap("two callers deploy at once", instead="the state is locked, and the pipelines run one at a time"),
)
