//go:build simulate_fixed
