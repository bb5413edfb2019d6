//go:build simulate_fixed

package simulate

import _ "unsafe" // setSimulated is in the runtime that fixed.sh makes

// Fixed reports whether a seed always makes the same run.
const Fixed = true

func setSimulated(seed uint64)

// fix makes everything that chance decides inside the runtime follow from a
// seed; 0 ends it.
func fix(seed uint64) { setSimulated(seed) }
