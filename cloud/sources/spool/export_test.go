package spool

// CloseFile has writing fail from now on.
func CloseFile(s *Sorter) { _ = s.file.Close() }
