package taskfile

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
)

// account is whom the center runs as on Linux, who can read its token.
const account = "doorsync"

// Units are a service that runs the import once, and the timer that starts it.
type Units struct {
	Service, Timer []byte
	// Name is that of both files, without .service and .timer.
	Name string
}

// Systemd is the task as systemd takes it.
func (t Task) Systemd() (Units, error) {
	err := t.check(path.IsAbs)
	if strings.ContainsAny(t.User, " \t") {
		err = errors.Join(err, fmt.Errorf("%q is no account", t.User))
	}
	if err != nil {
		return Units{}, fmt.Errorf("write the units for systemd: %w", err)
	}
	words := []string{quoteForSystemd(t.Program)}
	for _, a := range t.arguments() {
		words = append(words, quoteForSystemd(a))
	}
	user := escapePercent(cmp.Or(t.User, account))
	name := "doorsync-import-" + unitName(t.Source)
	return Units{
		Name:    name,
		Service: fmt.Appendf(nil, serviceUnit, escapePercent(t.Source), strings.Join(words, " "), user, t.privateTmp()),
		Timer:   fmt.Appendf(nil, timerUnit, escapePercent(t.Source), t.schedule()),
	}, nil
}

// schedule is by the calendar where the interval fits into an hour or a day: such
// a timer makes up for what was missed while the machine was off.
func (t Task) schedule() string {
	const hour, day = time.Hour, 24 * time.Hour
	switch d := t.Interval; {
	case d == hour:
		return "OnCalendar=hourly\nPersistent=true"
	case d == day:
		return "OnCalendar=daily\nPersistent=true"
	case d == 7*day:
		return "OnCalendar=weekly\nPersistent=true"
	case d < hour && hour%d == 0 && d%time.Minute == 0:
		return fmt.Sprintf("OnCalendar=*-*-* *:00/%d:00\nPersistent=true", d/time.Minute)
	case d > hour && d < day && day%d == 0 && d%hour == 0:
		return fmt.Sprintf("OnCalendar=*-*-* 00/%d:00:00\nPersistent=true", d/hour)
	default: // runs soon after the machine starts, so nothing needs making up for
		return fmt.Sprintf("OnActiveSec=1min\nOnUnitActiveSec=%ds", d/time.Second)
	}
}

// privateTmp hides other people's temporary files, unless the file is one.
func (t Task) privateTmp() string {
	for _, p := range []string{t.File, t.TokenFile, t.Program} {
		if strings.HasPrefix(p, "/tmp/") || strings.HasPrefix(p, "/var/tmp/") {
			return "no"
		}
	}
	return "yes"
}

const serviceUnit = `[Unit]
Description=Import the source %s into doorsync Central
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=%s
User=%s
# The import ends by itself when the center does not answer.
TimeoutStartSec=infinity
UMask=0077
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=%s
PrivateDevices=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
`

const timerUnit = `[Unit]
Description=Import the source %s into doorsync Central again and again

[Timer]
%s
AccuracySec=1s

[Install]
WantedBy=timers.target
`

// quoteForSystemd makes one word of a command line of systemd.
func quoteForSystemd(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", "$$").Replace(escapePercent(word)) + `"`
}

func escapePercent(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// unitName writes what may not stand in the name of a unit as systemd-escape does.
func unitName(source string) string {
	var b strings.Builder
	for i, c := range []byte(source) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == ':', c == '.' && i > 0, c == '-' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}
