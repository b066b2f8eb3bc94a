package main

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// host answers the engine's questions about Python. What it leaves out (code
// generation, project templates) the engine reports as not implemented.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	launcher string // script that runs a program
	engine   string // address of the engine's own service
}

// Handshake may bring the engine's address, which newer engines prefer to an argument.
func (h *host) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	if address := request.GetEngineAddress(); address != "" {
		h.engine = address
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo tells the host's version.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

// GetRequiredPackages names no plugin in advance: each resource of a program
// says by itself which plugin version it needs.
func (h *host) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Cancel has nothing to do: the engine ends the programs' processes itself.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// About names the interpreter that programs run in.
func (h *host) About(ctx context.Context, request *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	python, err := toolchainOf(request.GetInfo())
	if err != nil {
		return nil, err
	}
	about, err := python.About(ctx)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{Executable: about.PythonExecutable, Version: about.PythonVersion.String()}, nil
}

// GetProgramDependencies lists the packages of the program's environment.
func (h *host) GetProgramDependencies(
	ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	python, err := toolchainOf(request.GetInfo())
	if err != nil {
		return nil, err
	}
	packages, err := python.ListPackages(ctx, request.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, installed := range packages {
		response.Dependencies = append(response.Dependencies,
			&pulumirpc.DependencyInfo{Name: installed.Name, Version: installed.Version})
	}
	return response, nil
}

// InstallDependencies makes the virtual environment of a program or policy pack.
func (h *host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	stream grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	python, err := toolchainOf(request.GetInfo())
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(stream, request.GetIsTerminal())
	if err != nil {
		return err
	}
	defer closer.Close() //nolint:errcheck // the error of the installation comes first
	err = python.InstallDependencies(stream.Context(), request.GetInfo().GetProgramDirectory(),
		request.GetUseLanguageVersionTools(), true, stdout, stderr)
	if err != nil {
		return err
	}
	return closer.Close()
}

// toolchainOf finds the interpreter and package tool of a program from the
// options in its Pulumi.yaml or PulumiPolicy.yaml.
func toolchainOf(info *pulumirpc.ProgramInfo) (toolchain.Toolchain, error) {
	options := toolchain.PythonOptions{
		Root:       info.GetRootDirectory(),
		ProgramDir: info.GetProgramDirectory(),
		Toolchain:  toolchain.Auto,
	}
	settings := info.GetOptions().AsMap()
	if virtualenv, ok := settings["virtualenv"].(string); ok {
		options.Virtualenv = virtualenv
	}
	switch settings["toolchain"] {
	case "pip":
		options.Toolchain = toolchain.Pip
	case "poetry":
		options.Toolchain = toolchain.Poetry
	case "uv":
		options.Toolchain = toolchain.Uv
	}
	return toolchain.ResolveToolchain(options)
}
