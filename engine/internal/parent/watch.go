// Package parent ends a plugin soon after the process that started it.
//
// The engine ends its plugins when it leaves. When it is killed it cannot, and
// gRPC's own health check notices only after minutes.
package parent

import (
	"os"
	"time"
)

// interval between two looks.
const interval = 500 * time.Millisecond

// Watch ends this process as soon as its parent is another one than now: the
// first parent is gone then, and nobody is left who could ask for anything.
func Watch() {
	first := os.Getppid()
	go func() {
		for os.Getppid() == first {
			time.Sleep(interval)
		}
		os.Exit(1)
	}()
}
