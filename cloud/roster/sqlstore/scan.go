package sqlstore

import (
	"database/sql/driver"
	"fmt"
)

// scan puts what a row holds where it belongs.
func scan(dest []any, row []driver.Value) error {
	for i, v := range row {
		if v != nil && !scanOne(dest[i], v) {
			return fmt.Errorf("column %d is of type %T, wanted %T", i, v, dest[i])
		}
		if v == nil {
			clearOne(dest[i])
		}
	}
	return nil
}

// scanOne tells whether the value is of the kind that is wanted.
func scanOne(dest any, v driver.Value) (ok bool) {
	switch d := dest.(type) {
	case *string:
		*d, ok = v.(string)
	case *[]byte:
		*d, ok = v.([]byte)
	case *storedGUID:
		ok = d.scan(v)
	default:
		var n int64
		if n, ok = v.(int64); ok {
			ok = scanNumber(dest, n)
		}
	}
	return ok
}

func scanNumber(dest any, n int64) bool {
	switch d := dest.(type) {
	case *int64:
		*d = n
	case *uint64:
		*d = uint64(n)
	case *uint32:
		*d = uint32(n)
	case *int:
		*d = int(n)
	default:
		return false
	}
	return true
}

// clearOne takes what is NULL, or an empty blob.
func clearOne(dest any) {
	switch d := dest.(type) {
	case *[]byte:
		*d = nil
	case *string:
		*d = ""
	case *storedGUID:
		*d = ""
	}
}
