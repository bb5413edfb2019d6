package cloud

import (
	"os"
	"runtime/debug"
)

// memoryAimed is what the program keeps within as long as what is in use leaves
// room for that; beyond, it collects garbage more often, not at any price.
const memoryAimed = 256 << 20

// TuneMemory lets the heap grow to a few times what is in use before it is
// collected: what lives for long is small, and collecting it often costs more
// than the memory is worth. GOGC and GOMEMLIMIT in the environment decide
// instead.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryAimed)
	}
}
