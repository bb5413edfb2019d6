package journal

import "errors"

// fillUp needs limits that Windows does not have.
func fillUp(string) error { return errors.New("there is no limit on the size of files here") }
