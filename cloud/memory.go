package cloud

import (
	"os"
	"runtime/debug"
)

// TuneMemory lets the heap grow to a few times what is in use before it is
// collected: what lives for long is small, and collecting it often costs more
// than the memory is worth. GOGC in the environment decides instead.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
