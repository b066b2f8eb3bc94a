"""Rows of the checklist about what campaigns stand on: provider, deployer, organisation, perimeter, central logs."""

from __future__ import annotations

from tests.infra.checklist_row import Row, Shown

POLICY = "orgpolicy/policy:Policy"
PERIMETER = "accesscontextmanager/servicePerimeter:ServicePerimeter"
ORGANIZATION_GRANT = "organizations/iAMMember:IAMMember"
CONSTRAINTS = (
    "compute.skipDefaultNetworkCreation",
    "compute.vmExternalIpAccess",
    "essentialcontacts.allowedContactDomains",
    "gcp.resourceLocations",
    "gcp.restrictCmekCryptoKeyProjects",
    "gcp.restrictNonCmekServices",
    "gcp.restrictServiceUsage",
    "gcp.restrictTLSVersion",
    "iam.allowedPolicyMemberDomains",
    "iam.automaticIamGrantsForDefaultServiceAccounts",
    "iam.disableServiceAccountKeyCreation",
    "iam.disableServiceAccountKeyUpload",
    "run.allowedIngress",
    "run.allowedVPCEgress",
    "run.managed.requireInvokerIam",
    "storage.publicAccessPrevention",
    "storage.uniformBucketLevelAccess",
    "vertexai.allowedModels",
)


def _right(role: str) -> Shown:
    return Shown(ORGANIZATION_GRANT, "role", f"roles/{role}")


ROWS: tuple[Row, ...] = (
    Row(
        "provider",
        "default labels, quota project, impersonation, endpoints, no label of Pulumi's own",
        tests=(
            "test_resources_say_that_plantain_made_them_and_in_which_stack",
            "test_a_quota_project_is_charged_for_calls",
            "test_it_acts_as_the_account_it_is_told_to",
        ),
    ),
    Row(
        "provider",
        "a deletion policy written out on whatever is hard to lose",
        tests=("test_a_protected_stack_keeps_project_buckets_perimeter_and_keys",),
    ),
    Row(
        "state",
        "a versioned bucket with its own key, outside the perimeter; secrets by a key of Cloud KMS",
        (
            Shown("storage/bucket:Bucket", "versioning.enabled", value=True),
            Shown("kms/cryptoKey:CryptoKey", "name", "secrets"),
        ),
        instead="`gcpkms` secrets: not run here, Pulumi speaks gRPC to Cloud KMS",
        setting="bootstrap",
    ),
    Row(
        "deployer",
        "a service account with exact roles on folder, organisation and billing account",
        (
            Shown("serviceaccount/account:Account", "accountId", "deployer"),
            _right("resourcemanager.projectCreator"),
            _right("accesscontextmanager.policyEditor"),
            _right("orgpolicy.policyAdmin"),
            _right("logging.configWriter"),
            _right("essentialcontacts.admin"),
            _right("resourcemanager.tagUser"),
            Shown("billing/accountIamMember:AccountIamMember", "role", "roles/billing.user"),
            Shown("billing/accountIamMember:AccountIamMember", "role", "roles/billing.costsManager"),
        ),
        instead="`cloudkms.admin`, `monitoring.admin`, `cloudquotas.admin`, `lienModifier`, `serviceAccountUser`, "
        "`serviceUsageAdmin`: whoever creates a project is its owner and has them in it",
        setting="bootstrap",
    ),
    Row(
        "deployer",
        "APIs of the seed project",
        (Shown("projects/service:Service", "service", "accesscontextmanager.googleapis.com"),),
        setting="bootstrap",
    ),
    Row(
        "deployer",
        "pipelines without keys",
        (
            Shown("iam/workloadIdentityPool:WorkloadIdentityPool"),
            Shown("iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider", "attributeCondition", every=True),
        ),
        setting="bootstrap.github, bootstrap.gitlab, bootstrap.esc",
    ),
    Row(
        "deployer",
        "just-in-time elevation",
        instead="`privilegedaccessmanager.Entitlement`: the approval is that of the pipeline's environment",
    ),
    Row(
        "deployer",
        "a guard rail that outweighs roles",
        (Shown("iam/denyPolicy:DenyPolicy", "rules.denyRule.deniedPermissions"),),
        setting="denyPolicy",
    ),
    Row(
        "organisation",
        "a folder for campaigns",
        instead="`organizations.Folder`: it has an owner everywhere, and one made here could not be named in settings "
        "before it exists; projects go into `folder`",
    ),
    Row(
        "organisation",
        "default key and place of new projects' log buckets",
        (
            Shown("logging/organizationSettings:OrganizationSettings", "kmsKeyName"),
            Shown("logging/organizationSettings:OrganizationSettings", "storageLocation", "europe-west4"),
        ),
        tests=("test_a_campaigns_project_comes_after_the_key_of_its_first_log_buckets",),
        setting="centralLogs.defaultKey",
    ),
    Row("organisation", "essential contacts", (Shown("essentialcontacts/contact:Contact"),), setting="contacts"),
    Row(
        "organisation",
        "tags, bound to projects",
        (
            Shown("tags/tagKey:TagKey"),
            Shown("tags/tagValue:TagValue"),
            Shown("tags/tagBinding:TagBinding", "tagValue"),
        ),
        setting="tags",
    ),
    *(
        Row("policies", f"`{name}`", (Shown(POLICY, "name", f"organizations/123456789012/policies/{name}"),))
        for name in CONSTRAINTS
    ),
    Row(
        "policies",
        "`cloudbuild.allowedWorkerPools`",
        instead="it would refuse campaigns with `build.privatePool: false`; the policy pack judges them one by one",
    ),
    Row(
        "policies",
        "dry-run",
        tests=("test_dry_run_sets_only_what_refuses_nothing",),
        instead="constraints that know no dry-run are not set in it: they would refuse at once",
        setting="organizationPolicies.enforcement",
    ),
    Row(
        "policies",
        "custom constraints",
        (Shown("orgpolicy/customConstraint:CustomConstraint", "condition"),),
        instead="one, on versions of buckets: the policy pack judges the rest, and sees more",
        setting="organizationPolicies.custom",
    ),
    Row(
        "perimeter",
        "an access policy, scoped or existing; access levels by address, country, device",
        (
            Shown("accesscontextmanager/accessPolicy:AccessPolicy"),
            Shown("accesscontextmanager/accessLevel:AccessLevel", "basic.conditions.ipSubnetworks"),
            Shown("accesscontextmanager/accessLevel:AccessLevel", "basic.conditions.regions"),
            Shown("accesscontextmanager/accessLevel:AccessLevel", "basic.conditions.devicePolicy"),
            Shown("accesscontextmanager/accessLevel:AccessLevel", "custom.expr.expression"),
        ),
        setting="perimeter.accessPolicy, perimeter.accessLevels",
    ),
    Row(
        "perimeter",
        "an explicit dry-run configuration, which may differ",
        (Shown(PERIMETER, "useExplicitDryRunSpec", value=True), Shown(PERIMETER, "spec.restrictedServices")),
        setting="perimeter.enforcement, perimeter.proposed",
    ),
    Row(
        "perimeter",
        "restricted services, and nothing else reachable from inside",
        (
            Shown(PERIMETER, "status.restrictedServices", "aiplatform.googleapis.com"),
            Shown(PERIMETER, "status.vpcAccessibleServices.allowedServices", "RESTRICTED-SERVICES"),
        ),
    ),
    Row(
        "perimeter",
        "members by number, added one by one by stacks that join",
        (Shown("accesscontextmanager/servicePerimeterResource:ServicePerimeterResource", "resource"),),
        tests=("test_members_are_numbers",),
        setting="perimeter.membership",
    ),
    Row(
        "perimeter",
        "rules for those who deploy, audit, write audit logs, and for what the settings say",
        (
            Shown(PERIMETER, "status.ingressPolicies.title", "deployers"),
            Shown(PERIMETER, "status.ingressPolicies.title", "auditors"),
            Shown(PERIMETER, "status.ingressPolicies.title", "audit log sinks"),
            Shown(PERIMETER, "status.egressPolicies"),
            Shown("accesscontextmanager/servicePerimeterIngressPolicy:ServicePerimeterIngressPolicy"),
            Shown("accesscontextmanager/servicePerimeterEgressPolicy:ServicePerimeterEgressPolicy"),
        ),
    ),
    Row("perimeter", "bridges", instead="superseded by ingress and egress rules"),
    Row(
        "audit logs",
        "a sink above projects into a locked bucket with its own key, a view for auditors",
        (
            Shown("logging/organizationSink:OrganizationSink", "includeChildren", value=True),
            Shown("logging/billingAccountSink:BillingAccountSink"),
            Shown("logging/projectBucketConfig:ProjectBucketConfig", "cmekSettings.kmsKeyName", every=True),
            Shown("logging/projectBucketConfig:ProjectBucketConfig", "locked", value=True),
            Shown("logging/logView:LogView"),
        ),
        setting="centralLogs",
    ),
    Row(
        "audit logs",
        "a dataset linked to the bucket",
        instead="`logging.LinkedDataset`: `centralLogs.analytics` lets SQL in without one",
    ),
    Row(
        "billing",
        "a topic for budgets in the seed project, with a key, and its sender",
        (
            Shown("pubsub/topic:Topic", "kmsKeyName", every=True),
            Shown("pubsub/topicIAMMember:TopicIAMMember", "role", "roles/pubsub.publisher"),
        ),
        setting="bootstrap",
    ),
    Row(
        "billing",
        "the export to BigQuery",
        (Shown("bigquery/dataset:Dataset", "defaultEncryptionConfiguration.kmsKeyName"),),
        instead="no API switches the export on: the output `billingExport.console` is the page that does, and "
        "`plantain cost report --export` reads the table",
        setting="bootstrap.billingExport",
    ),
    Row(
        "further hardening",
        "Binary Authorization",
        (
            Shown("binaryauthorization/policy:Policy", "defaultAdmissionRule.evaluationMode", "ALWAYS_DENY"),
            Shown("binaryauthorization/policy:Policy", "admissionWhitelistPatterns.namePattern"),
            Shown("cloudfunctionsv2/function:Function", "serviceConfig.binaryAuthorizationPolicy", "default"),
        ),
        instead="attestations: Cloud Functions builds and deploys in one step, so nobody could attest in between; the "
        "campaign's own repository is admitted, as Google's page on functions says",
        setting="function.binaryAuthorization",
    ),
    Row(
        "further hardening",
        "Model Armor, postures, principal access boundaries, asset feeds, Security Command Center's frameworks",
        instead="none is needed for what is promised here; each has a price or a service of its own to run",
    ),
)
