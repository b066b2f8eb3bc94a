package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// exitedAfterMessage is the launcher's exit code for a program that failed and
// has already told the user why.
const exitedAfterMessage = 32

// Run executes a program until it ends. A program that fails is a result, not
// an error of the call.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	python, err := toolchainOf(request.GetInfo())
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	command, err := python.Command(ctx, h.arguments(request)...)
	if err != nil {
		return nil, err
	}
	settings, err := environment(request.GetConfig(), request.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}
	if command.Env == nil {
		command.Env = os.Environ()
	}
	command.Env = append(command.Env, settings...)
	// The engine shows what this host prints, so the program may print directly.
	command.Stdout, command.Stderr = os.Stdout, os.Stderr

	err = command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == exitedAfterMessage:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program ended with exit code %d", exit.ExitCode())}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program could not be run: %v", err)}, nil
	}
}

// arguments spells the launcher's command line.
func (h *host) arguments(request *pulumirpc.RunRequest) []string {
	arguments := []string{
		h.launcher,
		"--monitor", request.GetMonitorAddress(),
		"--engine", h.engine,
		"--project", request.GetProject(),
		"--stack", request.GetStack(),
		"--organization", request.GetOrganization(),
		"--root_directory", request.GetInfo().GetRootDirectory(),
		"--pwd", request.GetPwd(),
		"--dry_run", strconv.FormatBool(request.GetDryRun()),
		"--parallel", strconv.Itoa(int(request.GetParallel())),
		request.GetInfo().GetEntryPoint(),
	}
	return append(arguments, request.GetArgs()...)
}

// environment spells the stack's settings for the SDK. Nothing set has to be
// spelled {} and [], since the SDK refuses the null of an empty Go map.
func environment(config map[string]string, secrets []string) ([]string, error) {
	if config == nil {
		config = map[string]string{}
	}
	if secrets == nil {
		secrets = []string{}
	}
	settings, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	keys, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	return []string{
		"PULUMI_CONFIG=" + string(settings),
		"PULUMI_CONFIG_SECRET_KEYS=" + string(keys),
	}, nil
}
