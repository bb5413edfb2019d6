package roster_test

import (
	"flag"
	"os"
	"testing"
)

// Every random life has a database of its own, so fewer are lived by default;
// -rapid.checks asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
