// Package chain proves the middle of the journey: a site's journal and uplink,
// a line with faults, the center's exchange and roster. Its tests run on
// virtual time; those over real brokers say so.
package chain
