package broker

import (
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"strings"
	"sync"

	nats "github.com/nats-io/nats-server/v2/server"

	"doorsync/protocol/wire"
)

// centerUser is the center itself; no site can have this name.
const centerUser = "$central"

// refusedNames is how many names of refused callers are remembered, so that
// each is logged once.
const refusedNames = 1000

// guard lets sites in by name and key, each into its own branch alone.
type guard struct {
	sites    Authenticator
	topics   wire.Topics
	password string // of the center, for as long as it runs
	log      *slog.Logger

	mu      sync.Mutex
	refused map[string]bool
}

func newGuard(o EmbeddedOptions) *guard {
	return &guard{
		sites: o.Sites, topics: o.Topics, password: rand.Text() + rand.Text(), log: o.Logger,
		refused: map[string]bool{},
	}
}

// Check decides on one caller.
func (g *guard) Check(c nats.ClientAuthentication) bool {
	who := c.GetOpts()
	name, key := who.Username, who.Password
	switch {
	case name == centerUser:
		if subtle.ConstantTimeCompare([]byte(key), []byte(g.password)) != 1 {
			g.refuse(c, "the name of the center itself", "use the name of a site")
			return false
		}
		c.RegisterUser(&nats.User{Username: name})
		return true
	case name == "":
		g.refuse(c, "", "give the agent its site's name and key")
		return false
	case wire.ValidSite(name) != nil || !g.sites.CheckKey(name, key):
		g.refuse(c, name, "add the site with 'doorsync-central sites add' and give its agent the key that is shown")
		return false
	}
	c.RegisterUser(&nats.User{Username: name, Permissions: g.rights(name)})
	return true
}

// rights are what a site may do: write up its own branch, and read down it.
func (g *guard) rights(site string) *nats.Permissions {
	up := subject(g.topics.Up(site, ""))
	down := subject(g.topics.Down(site, ""))
	return &nats.Permissions{
		Publish: &nats.SubjectPermission{Allow: []string{up + ">"}},
		Subscribe: &nats.SubjectPermission{Allow: []string{
			down + ">", strings.TrimSuffix(down, "."),
			"$MQTT.sub.>", // how the broker itself delivers above QoS 0; nobody can ask for it
		}},
	}
}

// subject is a topic as the broker names it inside.
func subject(topic string) string {
	return strings.NewReplacer(".", "//", "/", ".").Replace(topic)
}

// refuse logs a refused caller once per name.
func (g *guard) refuse(c nats.ClientAuthentication, name, todo string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refused[name] || len(g.refused) >= refusedNames {
		return
	}
	g.refused[name] = true
	if len(name) > 64 {
		name = name[:64]
	}
	g.log.Warn("connection refused: unknown site or wrong key; further ones under this name are not logged",
		"site", name, "from", c.RemoteAddress(), "what to do", todo)
}
