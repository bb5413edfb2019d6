package sources

// FileTrouble is what people are told of a file that cannot be copied.
func FileTrouble(name string, err error) string { return fileTrouble(name, err) }
