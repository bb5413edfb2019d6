// Package spool holds on the disk what is too much for memory while an import is
// planned: the rows of a file, and records that are sorted. What it takes of memory
// does not grow with the file, but for one bit or a few bytes a row where said.
package spool
