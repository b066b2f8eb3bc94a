package beta

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-provider-google/google/registry"
	"github.com/hashicorp/terraform-provider-google/google/tpgresource"
	"github.com/hashicorp/terraform-provider-google/google/transport"
)

// call is one resource's access to one product's API with the provider's
// settings: endpoint, token, billing project, user agent.
type call struct {
	config         *transport.Config
	agent          string
	billingProject string
	base           string
}

// newCall prepares calls on behalf of d. The project pays for the quota unless
// the provider names another.
func newCall(d *schema.ResourceData, meta any, product registry.Product, project string) (*call, error) {
	config := meta.(*transport.Config)
	agent, err := tpgresource.GenerateUserAgentString(d, config.UserAgent)
	if err != nil {
		return nil, err
	}
	if payer, err := tpgresource.GetBillingProject(d, config); err == nil {
		project = payer
	}
	return &call{config: config, agent: agent, billingProject: project, base: transport.BaseUrl(product, config)}, nil
}

// version gives the product's address with another API version than the
// provider's own, keeping a custom endpoint's host and path.
func (c *call) version(name string) string {
	return transport.RemoveBasePathVersion(c.base) + name + "/"
}

// send makes one request and returns the decoded answer.
func (c *call) send(d *schema.ResourceData, method, url string, body map[string]any) (map[string]any, error) {
	timeout := schema.TimeoutRead
	switch method {
	case "POST":
		timeout = schema.TimeoutCreate
	case "PATCH":
		timeout = schema.TimeoutUpdate
	}
	return transport.SendRequest(transport.SendRequestOptions{
		Config:    c.config,
		Method:    method,
		Project:   c.billingProject,
		RawURL:    url,
		UserAgent: c.agent,
		Body:      body,
		Timeout:   d.Timeout(timeout),
	})
}

// set writes several attributes, stopping at the first that is refused.
func set(d *schema.ResourceData, values map[string]any) error {
	for name, value := range values {
		if err := d.Set(name, value); err != nil {
			return err
		}
	}
	return nil
}
