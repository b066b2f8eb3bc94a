package beta

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/validation"
	"github.com/hashicorp/terraform-provider-google/google/services/artifactregistry"
	"github.com/hashicorp/terraform-provider-google/google/tpgresource"
	"github.com/hashicorp/terraform-provider-google/google/transport"
)

// vpcscConfig says whether remote repositories of one project and location may
// fetch from upstream registries while the project is inside a perimeter.
//
// The setting always exists: creating takes it over, deleting leaves it as it is.
func vpcscConfig() *schema.Resource {
	return &schema.Resource{
		Create:        updateVpcscConfig,
		Update:        updateVpcscConfig,
		Read:          readVpcscConfig,
		Delete:        schema.RemoveFromState,
		CustomizeDiff: tpgresource.DefaultProviderProject,
		Importer:      &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
		Timeouts: &schema.ResourceTimeout{
			Create: schema.DefaultTimeout(20 * time.Minute),
			Read:   schema.DefaultTimeout(10 * time.Minute),
			Update: schema.DefaultTimeout(20 * time.Minute),
			Delete: schema.DefaultTimeout(20 * time.Minute),
		},
		Schema: map[string]*schema.Schema{
			"location": {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"project":  {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"name":     {Type: schema.TypeString, Computed: true},
			"vpcsc_policy": {
				Type:         schema.TypeString,
				Optional:     true,
				ValidateFunc: validation.StringInSlice([]string{"DENY", "ALLOW"}, false),
			},
		},
		UseJSONNumber: true,
	}
}

func updateVpcscConfig(d *schema.ResourceData, meta any) error {
	config := meta.(*transport.Config)
	project, err := tpgresource.GetProject(d, config)
	if err != nil {
		return err
	}
	location, err := tpgresource.GetLocation(d, config)
	if err != nil {
		return err
	}
	api, err := newCall(d, meta, artifactregistry.Product, project)
	if err != nil {
		return err
	}
	id := fmt.Sprintf("projects/%s/locations/%s/vpcscConfig", project, location)
	body := map[string]any{"vpcscPolicy": d.Get("vpcsc_policy")}
	if _, err := api.send(d, "PATCH", api.base+id+"?updateMask=vpcscPolicy", body); err != nil {
		return fmt.Errorf("updating %s: %w", id, err)
	}
	d.SetId(id)
	return readVpcscConfig(d, meta)
}

func readVpcscConfig(d *schema.ResourceData, meta any) error {
	parts := strings.Split(d.Id(), "/")
	if len(parts) < 5 || parts[0] != "projects" || parts[2] != "locations" {
		return fmt.Errorf("id %q is not of the form projects/{project}/locations/{location}/vpcscConfig", d.Id())
	}
	api, err := newCall(d, meta, artifactregistry.Product, parts[1])
	if err != nil {
		return err
	}
	answer, err := api.send(d, "GET", api.base+strings.Join(parts[:5], "/"), nil)
	if err != nil {
		return transport.HandleNotFoundError(err, d, d.Id())
	}
	return set(d, map[string]any{
		"project":      parts[1],
		"location":     parts[3],
		"name":         answer["name"],
		"vpcsc_policy": answer["vpcscPolicy"],
	})
}
