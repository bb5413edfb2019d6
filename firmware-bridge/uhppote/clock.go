package uhppote

import (
	"context"
	"fmt"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/uhppote/packet"
)

// SetTime sets the controller's clock to the wall time of t where it stands.
func (s *session) SetTime(ctx context.Context, t time.Time) error {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("set time: %w", err)
	}
	defer end()
	wall := t.In(s.zone).Truncate(time.Second)
	reply, err := s.line.ask(ctx, s.line.request(packet.OpSetTime).WithTime(wall), nil)
	if err != nil {
		return fmt.Errorf("set time: %w", err)
	}
	// A garbled answer is no reason to believe that the clock is wrong, but one
	// that is far off is: the controller did not take the time.
	got, err := reply.Time(s.zone)
	if err != nil {
		return fmt.Errorf("set time: %w", err)
	}
	if d := got.Sub(wall).Abs(); d > time.Minute {
		return fmt.Errorf("set time: %w: its clock says %s", driver.ErrRefused, got.Format(time.DateTime))
	}
	return nil
}

// Ping asks for the controller's clock.
func (s *session) Ping(ctx context.Context) error {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	defer end()
	if _, err := s.line.ask(ctx, s.line.request(packet.OpGetTime), nil); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}
