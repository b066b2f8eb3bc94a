package main

import (
	"fmt"
	"maps"
	"unicode"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-provider-google/google/provider"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"plantain/engine/internal/beta"
)

const packageName = "gcp"

// member names a resource class or a function of the Python SDK.
type member struct{ module, name string }

// token spells the member the way the SDK does: gcp:module/lowerFirst:Name.
func (m member) token() string {
	first := []rune(m.name)
	first[0] = unicode.ToLower(first[0])
	return fmt.Sprintf("%s:%s/%s:%s", packageName, m.module, string(first), m.name)
}

// providerInfo describes to the bridge which parts of the Google provider are
// offered and under which names. It fails when a table names something that
// the provider does not have.
func providerInfo() (tfbridge.ProviderInfo, error) {
	beta.Register()
	google := provider.Provider()

	info := tfbridge.ProviderInfo{
		Name:           packageName,
		ResourcePrefix: "google",
		GitHubOrg:      "hashicorp",
		DisplayName:    "Google Cloud",
		Version:        version,
		License:        "MPL-2.0",
		Resources:      map[string]*tfbridge.ResourceInfo{},
		DataSources:    map[string]*tfbridge.DataSourceInfo{},
		MetadataInfo:   tfbridge.NewProviderMetadata([]byte("{}")),
		Config: map[string]*tfbridge.SchemaInfo{
			"access_token": {Secret: tfbridge.True()},
			// The published plugin names these two settings after Pulumi.
			"add_terraform_attribution_label":               {Name: "addPulumiAttributionLabel"},
			"terraform_attribution_label_addition_strategy": {Name: "pulumiAttributionLabelAdditionStrategy"},
		},
	}

	for name, m := range resources {
		definition, ok := google.ResourcesMap[name]
		if !ok {
			return info, missing("resource", name)
		}
		info.Resources[name] = resourceInfo(name, definition)
		info.Resources[name].Tok = tokens.Type(m.token())
	}
	for name, m := range dataSources {
		definition, ok := google.DataSourcesMap[name]
		if !ok {
			return info, missing("data source", name)
		}
		info.DataSources[name] = &tfbridge.DataSourceInfo{
			Tok:    tokens.ModuleMember(m.token()),
			Fields: labelFields(definition),
		}
	}
	// The bridge wants every resource mapped, so those that are not go.
	maps.DeleteFunc(google.ResourcesMap, func(name string, _ *schema.Resource) bool { return info.Resources[name] == nil })
	maps.DeleteFunc(google.DataSourcesMap, func(name string, _ *schema.Resource) bool { return info.DataSources[name] == nil })

	info.P = shim.NewProvider(google)

	// Without this, names that the SDK leaves optional would be required.
	info.SetAutonaming(255, "-")
	return info, nil
}

func missing(kind, name string) error {
	return fmt.Errorf("the Google provider has no %s %q: is its service missing in services.go?", kind, name)
}
