// Package wire is how doorsync's two programs talk: topics, messages and their
// encoding. The same encoding serves in both databases.
package wire

import (
	"errors"
	"fmt"
	"strings"
)

// DefaultRoot is where all topics hang unless configured otherwise.
const DefaultRoot = "doorsync/v1"

// Kind is the last level of a topic: what a message is.
type Kind string

// From the agent up to the center.
const (
	KindHello    Kind = "hello"
	KindJournal  Kind = "journal"
	KindPull     Kind = "pull"
	KindReaders  Kind = "readers"
	KindDigest   Kind = "digest"
	KindDone     Kind = "done"
	KindPresence Kind = "presence"
)

// From the center down to an agent.
const (
	KindConfirm Kind = "confirm"
	KindChanges Kind = "changes"
	KindOrder   Kind = "order"
)

// Topics names the topics of one installation.
type Topics struct{ Root string }

// Up is the topic on which a site sends a kind of message.
func (t Topics) Up(site string, k Kind) string {
	return t.root() + "/sites/" + site + "/up/" + string(k)
}

// Down is the topic on which the center sends to a site.
func (t Topics) Down(site string, k Kind) string {
	return t.root() + "/sites/" + site + "/down/" + string(k)
}

// AllDown is the filter with which a site hears everything meant for it.
func (t Topics) AllDown(site string) string { return t.root() + "/sites/" + site + "/down/#" }

// AllUp is the filter with which the center hears every site.
func (t Topics) AllUp() string { return t.root() + "/sites/+/up/#" }

func (t Topics) root() string {
	if t.Root == "" {
		return DefaultRoot
	}
	return t.Root
}

// ErrForeign is wrapped by ParseUp for a topic that is not ours.
var ErrForeign = errors.New("not a topic of this installation")

// ParseUp takes a site's topic apart.
func (t Topics) ParseUp(topic string) (site string, k Kind, err error) {
	rest, ok := strings.CutPrefix(topic, t.root()+"/sites/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 || parts[1] != "up" || ValidSite(parts[0]) != nil {
		return "", "", fmt.Errorf("topic %q: %w", clip(topic), ErrForeign)
	}
	return parts[0], Kind(parts[2]), nil
}

// ValidSite reports what is wrong with the name of a site: 1 to 64 of letters,
// digits, dot, dash and underscore, since it is a level of a topic.
func ValidSite(name string) error {
	if name == "" || len(name) > 64 {
		return fmt.Errorf("site name %q: must have 1 to 64 characters", clip(name))
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r) {
			return fmt.Errorf("site name %q: only letters, digits, dot, dash and underscore are allowed", clip(name))
		}
	}
	return nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
