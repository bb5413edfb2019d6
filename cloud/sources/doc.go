// Package sources keeps the roster in step with the files that other systems
// export: it reads a source's CSV, tells its people apart, asks before much would
// change, and hands what is new to the roster in one transaction.
package sources
