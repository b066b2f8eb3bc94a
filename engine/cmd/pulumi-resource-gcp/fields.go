package main

import (
	"context"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

type fields map[string]*tfbridge.SchemaInfo

// details says of properties what their schema does not: how a name comes
// about when the program gives none, and which type the SDK knows instead.
var details = map[string]fields{
	"google_cloud_run_v2_service":         {"name": suffixed("name", 50)},
	"google_compute_network":              {"name": suffixed("name", 63)},
	"google_compute_router":               {"name": suffixed("name", 63)},
	"google_compute_subnetwork":           {"name": suffixed("name", 63)},
	"google_dns_managed_zone":             {"description": {Default: tfbridge.ManagedByPulumi}, "managed_zone_id": {Type: "string"}},
	"google_dns_record_set":               {"name": {Name: "name"}}, // a domain name, never made up
	"google_organization_iam_custom_role": {"role_id": tfbridge.AutoName("", 255, "_")},
	"google_project": {
		"name":       tfbridge.AutoNameWithCustomOptions("name", tfbridge.AutoNameOptions{}),
		"project_id": suffixed("", 30),
	},
	"google_project_iam_custom_role": {"role_id": tfbridge.AutoName("", 255, "-")},
	"google_secret_manager_secret":   {"secret_id": tfbridge.AutoName("secretId", 255, "-")},
	"google_service_account":         {"account_id": tfbridge.AutoName("", 30, "-")},
	"google_storage_bucket":          {"name": tfbridge.AutoName("name", 222, "-")},
	"google_storage_bucket_object": {
		"source": {Asset: &tfbridge.AssetTranslation{Kind: tfbridge.FileAsset, Format: resource.ZIPArchive}},
	},
}

// deletedFirst holds resources whose replacement cannot stand beside the old one.
var deletedFirst = map[string]bool{
	"google_bigquery_table":        true,
	"google_project_iam_member":    true,
	"google_secret_manager_secret": true,
}

// suffixed makes a lower-case name of at most limit characters, ending in
// seven random hexadecimal digits, from the resource's name in the program.
func suffixed(property string, limit int) *tfbridge.SchemaInfo {
	return tfbridge.AutoNameWithCustomOptions(property, tfbridge.AutoNameOptions{
		Separator: "-",
		Maxlen:    limit,
		Randlen:   7,
		Transform: strings.ToLower,
	})
}

// labelFields covers the two outputs that hold a resource's labels with those
// of the provider among them. Both are secret, as either part may be.
func labelFields(definition *schema.Resource) fields {
	properties := definition.SchemaMap()
	result := fields{}
	if _, ok := properties["terraform_labels"]; ok {
		result["terraform_labels"] = &tfbridge.SchemaInfo{Name: "pulumiLabels", Secret: tfbridge.True()}
	}
	if _, ok := properties["effective_labels"]; ok {
		result["effective_labels"] = &tfbridge.SchemaInfo{Secret: tfbridge.True()}
	}
	return result
}

// resourceInfo puts together all that the bridge has to know of one resource.
func resourceInfo(name string, definition *schema.Resource) *tfbridge.ResourceInfo {
	labels := labelFields(definition)
	info := &tfbridge.ResourceInfo{Fields: map[string]*tfbridge.SchemaInfo{}, DeleteBeforeReplace: deletedFirst[name]}
	maps.Copy(info.Fields, labels)
	maps.Copy(info.Fields, details[name])
	if _, ok := labels["terraform_labels"]; ok {
		info.TransformFromState = withLabels
	}
	return info
}

// withLabels writes down that there are no labels. Left out of the state, the
// property would show up as a change in each preview.
func withLabels(_ context.Context, state resource.PropertyMap) (resource.PropertyMap, error) {
	if _, ok := state["pulumiLabels"]; !ok {
		state["pulumiLabels"] = resource.NewObjectProperty(resource.PropertyMap{})
	}
	return state, nil
}
