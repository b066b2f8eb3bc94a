package beta

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/validation"
	"github.com/hashicorp/terraform-provider-google/google/services/cloudquotas"
	"github.com/hashicorp/terraform-provider-google/google/transport"
)

const adjusterSuffix = "/locations/global/quotaAdjusterSettings"

// quotaAdjusterSettings turns on or off that Google asks for more quota by
// itself when a project comes near its limits.
//
// The setting always exists: creating takes it over, deleting leaves it as it is.
func quotaAdjusterSettings() *schema.Resource {
	return &schema.Resource{
		Create:   updateQuotaAdjuster,
		Update:   updateQuotaAdjuster,
		Read:     readQuotaAdjuster,
		Delete:   schema.RemoveFromState,
		Importer: &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
		Timeouts: &schema.ResourceTimeout{
			Create: schema.DefaultTimeout(20 * time.Minute),
			Read:   schema.DefaultTimeout(10 * time.Minute),
			Update: schema.DefaultTimeout(20 * time.Minute),
			Delete: schema.DefaultTimeout(20 * time.Minute),
		},
		Schema: map[string]*schema.Schema{
			"enablement": {
				Type:         schema.TypeString,
				Required:     true,
				ValidateFunc: validation.StringInSlice([]string{"ENABLED", "DISABLED"}, false),
			},
			"parent":               {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"effective_container":  {Type: schema.TypeString, Computed: true},
			"effective_enablement": {Type: schema.TypeString, Computed: true},
			"inherited":            {Type: schema.TypeBool, Computed: true},
			"inherited_from":       {Type: schema.TypeString, Computed: true},
		},
		UseJSONNumber: true,
	}
}

func updateQuotaAdjuster(d *schema.ResourceData, meta any) error {
	parent := d.Get("parent").(string)
	if parent == "" {
		project := meta.(*transport.Config).Project
		if project == "" {
			return fmt.Errorf("parent is not set and the provider has no default project")
		}
		parent = "projects/" + project
	}
	id := parent + adjusterSuffix
	api, err := newCall(d, meta, cloudquotas.Product, strings.TrimPrefix(parent, "projects/"))
	if err != nil {
		return err
	}
	body := map[string]any{"name": id, "enablement": d.Get("enablement")}
	if _, err := api.send(d, "PATCH", api.version("v1beta")+id+"?updateMask=enablement", body); err != nil {
		return fmt.Errorf("updating %s: %w", id, err)
	}
	d.SetId(id)
	return readQuotaAdjuster(d, meta)
}

func readQuotaAdjuster(d *schema.ResourceData, meta any) error {
	parent, ok := strings.CutSuffix(d.Id(), adjusterSuffix)
	if !ok {
		return fmt.Errorf("id %q is not of the form {parent}%s", d.Id(), adjusterSuffix)
	}
	api, err := newCall(d, meta, cloudquotas.Product, strings.TrimPrefix(parent, "projects/"))
	if err != nil {
		return err
	}
	answer, err := api.send(d, "GET", api.version("v1beta")+d.Id(), nil)
	if err != nil {
		return transport.HandleNotFoundError(err, d, d.Id())
	}
	return set(d, map[string]any{
		"parent":               parent,
		"enablement":           answer["enablement"],
		"effective_container":  answer["effectiveContainer"],
		"effective_enablement": answer["effectiveEnablement"],
		"inherited":            answer["inherited"],
		"inherited_from":       answer["inheritedFrom"],
	})
}
