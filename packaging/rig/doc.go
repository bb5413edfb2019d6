// Package rig sets up a whole doorsync on one machine, of real processes: a
// center, sites with their agents, simulated readers, and lines between them
// that can be cut. The demonstration and the end-to-end tests are built on it.
package rig
