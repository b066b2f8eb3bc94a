// Command pulumi-resource-gcp is the Pulumi provider plugin "gcp", made of the
// published Google provider and Pulumi's bridge for it.
//
// Started by the engine it serves gRPC; `pulumi-resource-gcp schema` prints the
// package schema as JSON and leaves.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"

	"plantain/engine/internal/parent"
)

// version is the plugin's version, set by the linker. The engine matches it
// against the one which the program's SDK asks for.
var version = "0.0.0-dev"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-gcp:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	info, err := providerInfo()
	if err != nil {
		return err
	}
	document, err := packageSchema(info)
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "schema" {
		_, err = out.Write(document)
		return err
	}
	parent.Watch()
	tfbridge.Main(packageName, version, info, document)
	return nil
}

// packageSchema derives the Pulumi schema from the bridged provider. It is
// worked out at each start (a tenth of a second) so that it can never disagree
// with the tables it is made from.
func packageSchema(info tfbridge.ProviderInfo) ([]byte, error) {
	quiet := diag.DefaultSink(io.Discard, os.Stderr, diag.FormatOptions{Color: colors.Never})
	result, err := tfgen.GenerateSchemaWithOptions(tfgen.GenerateSchemaOptions{
		ProviderInfo:    info,
		DiagnosticsSink: quiet,
		// Otherwise the generator would look for the documentation's sources, with the go command.
		XInMemoryDocs: true,
	})
	if err != nil {
		return nil, fmt.Errorf("deriving the package schema: %w", err)
	}
	return json.Marshal(result.PackageSpec)
}
