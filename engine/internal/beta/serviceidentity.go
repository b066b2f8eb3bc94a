package beta

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-provider-google/google/services/serviceusage"
	"github.com/hashicorp/terraform-provider-google/google/tpgresource"
	"github.com/hashicorp/terraform-provider-google/google/transport"
)

// serviceIdentity creates the Google-managed service account (service agent)
// through which one API acts in one project.
//
// An agent can be neither read by itself nor deleted, so the state is all that
// is known afterwards and both are without a call.
func serviceIdentity() *schema.Resource {
	return &schema.Resource{
		Create:        createServiceIdentity,
		Read:          schema.Noop,
		Delete:        schema.RemoveFromState,
		CustomizeDiff: tpgresource.DefaultProviderProject,
		Timeouts: &schema.ResourceTimeout{
			Create: schema.DefaultTimeout(20 * time.Minute),
			Read:   schema.DefaultTimeout(10 * time.Minute),
			Delete: schema.DefaultTimeout(20 * time.Minute),
		},
		Schema: map[string]*schema.Schema{
			"service": {Type: schema.TypeString, Required: true, ForceNew: true},
			"project": {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"email":   {Type: schema.TypeString, Computed: true},
			"member":  {Type: schema.TypeString, Computed: true},
		},
		UseJSONNumber: true,
	}
}

func createServiceIdentity(d *schema.ResourceData, meta any) error {
	config := meta.(*transport.Config)
	project, err := tpgresource.GetProject(d, config)
	if err != nil {
		return err
	}
	api, err := newCall(d, meta, serviceusage.Product, project)
	if err != nil {
		return err
	}
	service := fmt.Sprintf("projects/%s/services/%s", project, d.Get("service"))
	operation, err := api.send(d, "POST", api.version("v1beta1")+service+":generateServiceIdentity", nil)
	if err != nil {
		return fmt.Errorf("creating the service identity of %s: %w", service, err)
	}
	var identity map[string]any
	err = serviceusage.ServiceUsageOperationWaitTimeWithResponse(
		config, operation, &identity, project, "Creating Service Identity", api.agent, d.Timeout(schema.TimeoutCreate))
	if err != nil {
		return fmt.Errorf("waiting for the service identity of %s: %w", service, err)
	}

	values := map[string]any{"project": project}
	// Some APIs have no identity of their own: the answer then has no e-mail.
	if email, ok := identity["email"].(string); ok && email != "" {
		values["email"] = email
		values["member"] = "serviceAccount:" + email
	}
	d.SetId(service)
	return set(d, values)
}
