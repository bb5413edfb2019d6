package api_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"doorsync/cloud/api"
)

func TestOpenToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "api.token")
	token, err := api.OpenToken(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := api.ReadToken(path)
	if err != nil || len(text) < 40 || !token.Matches(text) || token.Matches(text[1:]) {
		t.Errorf("the token in the file is not the one in force (%v)", err)
	}
	if info, err := os.Stat(path); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm() != 0o600) {
		t.Errorf("token file: %v, %v", info.Mode(), err)
	}
	if again, err := api.OpenToken(path); err != nil || again != token {
		t.Errorf("the second start has another token (%v)", err)
	}
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := api.OpenToken(path); err == nil {
		t.Error("a short token is taken")
	}
}
