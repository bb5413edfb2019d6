package service

import (
	"fmt"
	"strings"
)

// account is the user that the services run as on Linux.
const account = "doorsync"

// Unit is the systemd unit of a service whose program stands at executable.
// The program may write its data folder and nothing else, needs no capability
// and is started again whatever ends it.
func Unit(c Config, executable string) string {
	command := []string{quote(executable)}
	for _, a := range c.Args {
		command = append(command, quote(a))
	}
	return fmt.Sprintf(unit, escape(c.Description), strings.Join(command, " "), account, account, writable(c.Data))
}

// writable names the data folder; systemd makes those below /var/lib itself.
func writable(data string) string {
	if data == "" {
		return ""
	}
	if state, ok := strings.CutPrefix(data, "/var/lib/"); ok {
		return fmt.Sprintf("StateDirectory=%s\nStateDirectoryMode=0700\n", quote(state))
	}
	return fmt.Sprintf("ReadWritePaths=%s\n", quote(data))
}

const unit = `# Written by "install"; put changes of your own into "systemctl edit".
[Unit]
Description=%s
After=network-online.target time-sync.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=%s
User=%s
Group=%s
# Serial adapters belong to this group.
SupplementaryGroups=dialout
Restart=always
RestartSec=1
TimeoutStopSec=30
LimitNOFILE=65536
UMask=0077
%sCapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
DeviceAllow=char-ttyS rw
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
DevicePolicy=closed

[Install]
WantedBy=multi-user.target
`

// quote makes one word of a systemd command line.
func quote(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", "$$").Replace(escape(word)) + `"`
}

// escape keeps specifiers (%) and line ends from meaning anything.
func escape(text string) string {
	return strings.NewReplacer("%", "%%", "\n", " ", "\r", " ").Replace(text)
}
