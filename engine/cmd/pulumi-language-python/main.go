// Command pulumi-language-python is the language host which the Pulumi engine
// starts to run a Python program or a Python policy pack. It prints the port of
// its gRPC service and serves until the engine ends it.
//
// The script pulumi-language-python-exec has to lie beside the binary.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"plantain/engine/internal/parent"
)

// version is the engine's version, set by the linker.
var version = "0.0.0-dev"

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-python:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	parent.Watch()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the script beside this binary: %w", err)
	}
	runtime := &host{launcher: filepath.Join(filepath.Dir(self), "pulumi-language-python-exec")}
	// The engine's address comes last, after flags that this host needs not.
	if len(args) > 0 {
		runtime.engine = args[len(args)-1]
	}

	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cancel := make(chan bool)
	go func() {
		<-interrupted.Done()
		close(cancel)
	}()

	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, runtime)
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}
