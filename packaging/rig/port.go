package rig

import (
	"fmt"
	"net"
)

// FreeAddress finds a loopback address whose port is free for TCP and UDP at
// this moment.
func FreeAddress() (string, error) {
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", fmt.Errorf("find a free port: %w", err)
		}
		addr := tcp.Addr().String()
		udp, err := net.ListenPacket("udp", addr)
		if err != nil {
			_ = tcp.Close()
			continue
		}
		_ = udp.Close()
		_ = tcp.Close()
		return addr, nil
	}
	return "", fmt.Errorf("find a free port: none is free for TCP and UDP alike")
}
