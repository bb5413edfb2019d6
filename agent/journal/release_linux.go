package journal

import (
	"unsafe"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// release gives back the memory through which the file was read. The pages stay
// in the system's cache; without this, whoever reads every user makes the whole
// file count as the agent's memory for as long as it runs.
func (j *Journal) release() {
	// Within a transaction the mapping cannot be moved.
	err := j.db.View(func(tx *bbolt.Tx) error {
		if tx.Size() <= 0 {
			return nil
		}
		// The address is of memory that the system mapped, not of Go's heap.
		start := *(*unsafe.Pointer)(unsafe.Pointer(&j.db.Info().Data))
		return unix.Madvise(unsafe.Slice((*byte)(start), tx.Size()), unix.MADV_DONTNEED)
	})
	if err != nil {
		j.log.Debug("memory of the journal not given back", "error", err)
	}
}
