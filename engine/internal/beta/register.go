// Package beta adds resources which the published plugin takes from Google's
// beta provider and which the generally available one, used here, lacks. Names
// and properties are those of the Python SDK.
package beta

import (
	"sync"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-provider-google/google/registry"
)

// Register adds the resources to the provider's registry, once.
var Register = sync.OnceFunc(func() {
	add("google_project_service_identity", "serviceusage", serviceIdentity())
	add("google_artifact_registry_vpcsc_config", "artifactregistry", vpcscConfig())
	add("google_cloud_quotas_quota_adjuster_settings", "cloudquotas", quotaAdjusterSettings())
})

func add(name, product string, resource *schema.Resource) {
	registry.Schema{
		Name:        name,
		ProductName: product,
		Type:        registry.SchemaTypeResource,
		Schema:      resource,
	}.Register()
}
