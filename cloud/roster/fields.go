package roster

import "doorsync/protocol"

// FieldReader reads the definitions of custom values.
type FieldReader interface {
	FieldRows() ([]protocol.Custom, error) // by name
}

// FieldWriter writes them.
type FieldWriter interface {
	PutFieldRow(c protocol.Custom) error
	DropFieldRow(f protocol.Field) error
}
