package agent

import (
	"os"
	"runtime/debug"
)

// memoryWanted is from where on the heap is collected more often: a first copy of
// many users would otherwise leave it large for a while.
const memoryWanted = 96 << 20

// TuneMemory lets the heap grow to a few times what is in use before it is
// collected: what lives for long is small, and collecting it often costs more
// than the memory is worth. GOGC in the environment decides instead.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryWanted)
	}
}
