// Package configs reads the configuration of the programs, strictly.
//
// In a file that decides who may enter, a typing error must stop the start and
// not fall back to a default. Load therefore refuses unknown keys, keys that
// stand twice and values of the wrong type, asks the program's own check for
// whatever else is wrong, and reports all of it at once, each fault with file
// and line. It opens the file and nothing else.
//
// The folder also holds the sample files; its tests load them, so they cannot
// fall behind the programs.
package configs
