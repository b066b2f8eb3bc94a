package main

// dataSources maps the provider's data sources to the functions of the Python SDK.
var dataSources = map[string]member{
	"google_access_context_manager_access_policy": {"accesscontextmanager", "getAccessPolicy"},
	"google_active_folder":                        {"organizations", "getActiveFolder"},
	"google_artifact_registry_repository":         {"artifactregistry", "getRepository"},
	"google_bigquery_default_service_account":     {"bigquery", "getDefaultServiceAccount"},
	"google_billing_account":                      {"organizations", "getBillingAccount"},
	"google_folder":                               {"organizations", "getFolder"},
	"google_kms_crypto_key":                       {"kms", "getKMSCryptoKey"},
	"google_kms_key_ring":                         {"kms", "getKMSKeyRing"},
	"google_logging_folder_settings":              {"logging", "getFolderSettings"},
	"google_logging_organization_settings":        {"logging", "getOrganizationSettings"},
	"google_logging_project_cmek_settings":        {"logging", "getProjectCmekSettings"},
	"google_organization":                         {"organizations", "getOrganization"},
	"google_project":                              {"organizations", "getProject"},
	"google_projects":                             {"projects", "getProject"},
	"google_service_account":                      {"serviceaccount", "getAccount"},
	"google_storage_bucket":                       {"storage", "getBucket"},
	"google_storage_project_service_account":      {"storage", "getProjectServiceAccount"},
	"google_tags_tag_key":                         {"tags", "getTagKey"},
	"google_tags_tag_value":                       {"tags", "getTagValue"},
}
