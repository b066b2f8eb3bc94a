package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"

	sdk "github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc"
)

// RunPlugin executes a plugin written in Python, here mostly a policy pack,
// and passes on what it prints.
func (h *host) RunPlugin(
	request *pulumirpc.RunPluginRequest, stream grpc.ServerStreamingServer[pulumirpc.RunPluginResponse],
) error {
	python, err := toolchainOf(request.GetInfo())
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(stream, false)
	if err != nil {
		return err
	}
	defer closer.Close() //nolint:errcheck // the error of the plugin comes first

	if request.GetKind() == string(apitype.AnalyzerPlugin) {
		err = runPolicyPack(stream.Context(), python, request, stdout, stderr)
	} else {
		err = runProgram(stream.Context(), python, request, stdout, stderr)
	}
	if err != nil {
		return err
	}
	return closer.Close()
}

// runProgram executes a plugin that is an ordinary program, such as a
// component provider.
func runProgram(
	ctx context.Context, python toolchain.Toolchain, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer,
) error {
	arguments := append([]string{request.GetInfo().GetProgramDirectory()}, request.GetArgs()...)
	command, err := prepare(ctx, python, request, arguments)
	if err != nil {
		return err
	}
	command.Dir = request.GetPwd()
	command.Stdout, command.Stderr = stdout, stderr
	return command.Run()
}

// runPolicyPack executes a policy pack behind a proxy: the engine configures an
// analyzer by calls, the Python package reads its environment at the start, so
// the process may start only after the first of those calls.
func runPolicyPack(
	ctx context.Context, python toolchain.Toolchain, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer,
) error {
	directory := request.GetInfo().GetProgramDirectory()
	arguments := append([]string{"-u", "-m", "pulumi.policy"}, request.GetArgs()...)
	command, err := prepare(ctx, python, request, append(arguments, directory))
	if err != nil {
		return err
	}
	proxy, output, err := sdk.NewPolicyProxy(ctx, stdout)
	if err != nil {
		return err
	}
	stack, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return err
	}
	// There is no stack when the engine only asks which policies the pack has.
	if stack != nil {
		described, err := stackEnvironment(stack)
		if err != nil {
			return err
		}
		command.Env = append(command.Env, described...)
	}
	command.Dir = directory
	command.Stdout, command.Stderr = output, stderr
	if err := command.Start(); err != nil {
		return err
	}
	return proxy.Attach(ctx, command)
}

func prepare(
	ctx context.Context, python toolchain.Toolchain, request *pulumirpc.RunPluginRequest, arguments []string,
) (*exec.Cmd, error) {
	command, err := python.Command(ctx, arguments...)
	if err != nil {
		return nil, err
	}
	if command.Env == nil {
		command.Env = os.Environ()
	}
	command.Env = append(command.Env, request.GetEnv()...)
	return command, nil
}

// stackEnvironment tells a policy pack which stack it looks at.
func stackEnvironment(stack *pulumirpc.AnalyzerStackConfigureRequest) ([]string, error) {
	config := stack.GetConfig()
	if config == nil {
		config = map[string]string{}
	}
	settings, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	dryRun := "false"
	if stack.GetDryRun() {
		dryRun = "true"
	}
	return []string{
		"PULUMI_ORGANIZATION=" + stack.GetOrganization(),
		"PULUMI_PROJECT=" + stack.GetProject(),
		"PULUMI_STACK=" + stack.GetStack(),
		"PULUMI_DRY_RUN=" + dryRun,
		"PULUMI_CONFIG=" + string(settings),
	}, nil
}
