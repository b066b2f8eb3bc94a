"""Firewall policies and their rules; network policies with the networks they are associated with."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.services.compute.failures import InUse, Invalid
from sandbox.services.compute.links import link, name_of, path
from sandbox.services.compute.resource import ComputeResource

Document = dict[str, Any]

LAST = 2147483644

#: Every new policy ends with these: what no other rule decides is left to the next level.
FINAL_RULES = tuple(
    {
        "kind": "compute#firewallPolicyRule",
        "description": f"default {direction.lower()} rule ipv{version}",
        "priority": LAST + index,
        "match": {
            ("srcIpRanges" if direction == "INGRESS" else "destIpRanges"): ["::/0" if version == 6 else "0.0.0.0/0"],  # noqa: PLR2004 -- IPv6
            "layer4Configs": [{"ipProtocol": "all"}],
        },
        "action": "goto_next",
        "direction": direction,
        "enableLogging": False,
        "ruleTupleCount": 2,
    }
    for index, (direction, version) in enumerate((("EGRESS", 6), ("INGRESS", 6), ("EGRESS", 4), ("INGRESS", 4)))
)


class AnyFirewallPolicy(ComputeResource):
    """What policies of networks and those of organisations share."""

    noun = "firewallPolicy"
    fingerprinted = True

    def prepare(self, call: Call, document: Document) -> None:
        """Final rules, and the link by id."""
        document["rules"] = [*document.get("rules", []), *FINAL_RULES]
        document["selfLinkWithId"] = link(f"{call.name}/{document['id']}")
        document["ruleTupleCount"] = tuples(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Count anew."""
        after["ruleTupleCount"] = tuples(after)

    def deleting(self, call: Call, document: Document) -> None:
        """No network may still follow it."""
        for association in document.get("associations", []):
            raise InUse("firewall_policy", call.name, name_of(association["attachmentTarget"]))


class NetworkFirewallPolicy(AnyFirewallPolicy):
    """A policy that many networks may share."""

    kind = "compute.networkFirewallPolicies"


POLICY = NetworkFirewallPolicy()


def of(call: Call) -> AnyFirewallPolicy:
    """The kind of policy that a call is about."""
    found = call.cloud.services.resource(call.method.kind)
    return found if isinstance(found, AnyFirewallPolicy) else POLICY


def tuples(policy: Document) -> int:
    """How many rule tuples a policy counts for."""
    return sum(int(rule.get("ruleTupleCount", 2)) for rule in policy.get("rules", []))


def current(call: Call) -> Document:
    """The policy of a ``.../firewallPolicies/p/<action>`` call; ``call.name`` becomes its own."""
    call.name = call.name.removesuffix(f"/{call.method.action}")
    return of(call).read(call)


def change(call: Call, before: Document, **fields: Any) -> Document:
    """Store changed parts; answers with the operation."""
    return of(call).change(call, before, {**before, **fields})


def priority(call: Call) -> int:
    """The rule that a call is about."""
    try:
        return int(call.query.get("priority") or call.body.get("priority", ""))
    except ValueError:
        raise Invalid.value("priority", call.query.get("priority", ""), "The priority must be given.") from None


def rule_of(call: Call, policy: Document) -> Document:
    """The rule of the asked priority."""
    wanted = priority(call)
    for rule in policy["rules"]:
        if rule["priority"] == wanted:
            return dict(rule)
    raise Invalid.value("priority", wanted, "The firewall policy does not contain a rule at that priority.")


def complete(rule: Document) -> Document:
    """A rule with its defaults."""
    match = rule.get("match", {})
    addresses = len(match.get("srcIpRanges", [])) or len(match.get("destIpRanges", [])) or 1
    return {
        "enableLogging": False,
        "disabled": False,
        **{key: value for key, value in rule.items() if key != "kind"},
        "kind": "compute#firewallPolicyRule",
        "ruleTupleCount": addresses * (1 + len(match.get("layer4Configs", []))),
    }


def ordered(rules: list[Document]) -> list[Document]:
    """By priority."""
    return sorted(rules, key=lambda rule: int(rule["priority"]))


def add_rule(call: Call) -> Document:
    """Add a rule at a free priority."""
    policy = current(call)
    wanted = priority(call)
    if any(rule["priority"] == wanted for rule in policy["rules"]):
        raise Invalid.value("priority", wanted, "Cannot have rules with the same priorities.")
    if call.body.get("action") not in {"allow", "deny", "goto_next", "apply_security_profile_group"}:
        raise Invalid.value("action", call.body.get("action", ""), "Must be allow, deny or goto_next.")
    return change(call, policy, rules=ordered([*policy["rules"], complete({**call.body, "priority": wanted})]))


def patch_rule(call: Call) -> Document:
    """Change a rule."""
    policy = current(call)
    rule = rule_of(call, policy)
    others = [other for other in policy["rules"] if other["priority"] != rule["priority"]]
    return change(call, policy, rules=ordered([*others, complete({**rule, **call.body})]))


def remove_rule(call: Call) -> Document:
    """Remove a rule."""
    policy = current(call)
    rule = rule_of(call, policy)
    return change(call, policy, rules=[r for r in policy["rules"] if r["priority"] != rule["priority"]])


def get_rule(call: Call) -> Document:
    """One rule."""
    return rule_of(call, current(call))


def add_association(call: Call) -> Document:
    """Let a network follow the policy; a network follows one."""
    policy = current(call)
    target = path(call.body.get("attachmentTarget", ""), call.project or "", "global/networks")
    network = call.cloud.store.get("compute.networks", call.cloud.hierarchy.canonical(target))
    if network is None:
        raise Invalid.value("attachmentTarget", target, "The referenced network resource cannot be found.")
    name = call.body.get("name") or target.rpartition("/")[2]
    replace = call.query.get("replaceExistingAssociation") == "true"
    for other_name, other in call.cloud.store.items(POLICY.kind):
        kept = [a for a in other.get("associations", []) if a["attachmentTarget"] != network["selfLink"]]
        if len(kept) != len(other.get("associations", [])):
            if not replace:
                raise Invalid(f"An association with network '{target}' already exists in '{other_name}'.")
            other["associations"] = kept
            call.cloud.store.put(POLICY.kind, other_name, other)
    policy = POLICY.read(call)
    entry = {
        "name": name,
        "attachmentTarget": network["selfLink"],
        "firewallPolicyId": policy["id"],
        "shortName": policy["name"],
    }
    return change(call, policy, associations=[*policy.get("associations", []), entry])


def association_of(call: Call, policy: Document) -> Document:
    """The association of the asked name."""
    name = call.query.get("name", "")
    for association in policy.get("associations", []):
        if association["name"] == name:
            return dict(association)
    raise Invalid.value("name", name, "An association with that name does not exist.")


def get_association(call: Call) -> Document:
    """One association."""
    return of(call).view(call, association_of(call, current(call)))


def remove_association(call: Call) -> Document:
    """End an association."""
    policy = current(call)
    gone = association_of(call, policy)
    return change(call, policy, associations=[a for a in policy["associations"] if a["name"] != gone["name"]])


def clone_rules(call: Call) -> Document:
    """Replace the rules by those of another policy."""
    policy = current(call)
    source = path(call.query.get("sourceFirewallPolicy", ""), call.project or "", "global/firewallPolicies")
    found = call.cloud.store.get(POLICY.kind, source)
    if found is None:
        raise Invalid.value("sourceFirewallPolicy", source, "The referenced firewall policy cannot be found.")
    return change(call, policy, rules=found["rules"])


#: Rules are the same in policies of networks and of organisations.
RULE_HANDLERS = {
    "addRule": add_rule,
    "patchRule": patch_rule,
    "removeRule": remove_rule,
    "getRule": get_rule,
    "getAssociation": get_association,
    "removeAssociation": remove_association,
}
HANDLERS = {
    f"compute.networkFirewallPolicies.{action}": handler
    for action, handler in {
        **RULE_HANDLERS,
        "addAssociation": add_association,
        "cloneRules": clone_rules,
    }.items()
}
