package main

import (
	"testing"
	"time"

	"doorsync/cloud/api"
)

func TestStanding(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name string
		user api.User
		want string
	}{
		{"without dates", api.User{State: "active"}, "active"},
		{"within", api.User{State: "active", Validity: &api.Validity{ActivatesAt: "2026-01-01T00:00:00Z", ExpiresAt: "2027-01-01T00:00:00Z"}}, "active"},
		{"before", api.User{State: "active", Validity: &api.Validity{ActivatesAt: "2027-01-01T00:00:00Z"}}, "not yet"},
		{"after", api.User{State: "active", Validity: &api.Validity{ExpiresAt: "2026-11-22T12:00:00Z"}}, "expired"},
		{"inactive whatever the dates", api.User{State: "inactive", Validity: &api.Validity{ExpiresAt: "2020-01-01T00:00:00Z"}}, "inactive"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := standing(tc.user, now); got != tc.want {
				t.Errorf("standing %q, want %q", got, tc.want)
			}
		})
	}
}
