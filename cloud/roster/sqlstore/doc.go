// Package sqlstore keeps a roster in one SQLite file.
package sqlstore
